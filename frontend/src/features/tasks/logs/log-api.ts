/** The log over HTTP: pages of lines, searches, sections, and addresses of streams and downloads. */
import { taskUrl } from '../api'
import { checkAnswer, noAnswer, watchedFetch, type Schemas } from '@/api/client'

export type Level = Schemas['LogLine']['level']
export type Stream = Schemas['LogLine']['stream']
/** Begin, end and terminal code of a coloured part of the text. */
export type ColourSpan = [start: number, end: number, code: string]

export interface LogLine extends Omit<Schemas['LogLine'], 'continued'> {
  continued: boolean
  rank?: number | null
  colours?: ColourSpan[]
}

export interface LogPage {
  items: LogLine[]
  /** Pass as `after` to go on, also to the stream. */
  next: string
  total: number
  matched?: number | null
  hidden?: number | null
}

export interface Matches {
  /** Null while not all of a huge log was looked at: asked again, the server goes on. */
  matched: number | null
  total: number
  complete: boolean
  marks: number[]
}

export interface Found {
  /** Counts from 1 among the lines that match. */
  index: number | null
  matched: number | null
  line: LogLine | null
}

export type SectionName = 'prepare' | 'train' | 'evaluate' | 'save'

export interface Section {
  name: SectionName
  first_number: number
  last_number: number | null
  started_at: string
  finished_at: string | null
}

export interface Sections {
  sections: Section[]
  first_error: LogLine | null
}

export interface Gap {
  first_number: number
  last_number: number
}

export type Params = Record<string, string | number | boolean | readonly (string | number)[] | undefined>

/** `a=1&b=2&b=3`; empty and false values are left out. */
export function queryText(params: Params): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined || value === '' || value === false) continue
    for (const each of Array.isArray(value) ? (value as readonly string[]) : [value]) {
      query.append(name, String(each))
    }
  }
  return query.toString()
}

/** Address of a part of a task's log with its parameters. */
export function logUrl(task: string, part: string, params: Params): string {
  const query = queryText(params)
  return taskUrl(task, `logs${part && `/${part}`}`) + (query && `?${query}`)
}

async function get<T>(url: string, signal?: AbortSignal): Promise<T> {
  let response: Response
  try {
    response = await watchedFetch(url, { signal })
  } catch (error) {
    throw noAnswer(error)
  }
  await checkAnswer(response)
  return (await response.json()) as T
}

export const getPage = (task: string, params: Params, signal?: AbortSignal) =>
  get<LogPage>(logUrl(task, '', params), signal)

export const getMatches = (task: string, params: Params, signal?: AbortSignal) =>
  get<Matches>(logUrl(task, 'matches', params), signal)

export const find = (task: string, params: Params, signal?: AbortSignal) =>
  get<Found>(logUrl(task, 'find', params), signal)

export const getSections = (task: string, attempt: number, signal?: AbortSignal) =>
  get<Sections>(logUrl(task, 'sections', { attempt }), signal)
