/** The log over HTTP: pages of lines, searches, sections, and addresses of streams and downloads. */
import { getLogs, taskUrl, type LogQuery } from '../api'
import { api, take, type Schemas } from '@/api/client'
import type { operations } from '@/api/schema.gen'

export type LogLine = Schemas['LogLine']
export type LogPage = Schemas['LogPage']
export type Level = LogLine['level']
export type Stream = LogLine['stream']
/** Begin, end and terminal code of a coloured part of the text. */
export type ColourSpan = LogLine['colours'][number]
export type Sections = Schemas['LogSections']
export type Section = Schemas['LogSection']

/** What the stream says of lines that it left out, as far as it matters here. */
export interface Gap {
  first_number: number
  last_number: number
}

/** A query: filters of `hidingParams`, and what else a call takes. */
export type Params = Record<string, string | number | boolean | readonly (string | number)[] | undefined>

type FindQuery = NonNullable<operations['find_in_task_logs']['parameters']['query']>
type MatchesQuery = NonNullable<operations['get_task_log_matches']['parameters']['query']>

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
  return taskUrl(task, `logs/${part}`) + (query && `?${query}`)
}

const path = (task: string) => ({ path: { task_id: task } })

export const getPage = (task: string, params: Params, signal?: AbortSignal) =>
  getLogs(task, params as LogQuery, signal)

export const getMatches = (task: string, params: Params, signal?: AbortSignal) =>
  take(
    api.GET('/api/v1/tasks/{task_id}/logs/matches', {
      params: { ...path(task), query: params as MatchesQuery },
      signal,
    }),
  )

export const find = (task: string, params: Params, signal?: AbortSignal) =>
  take(
    api.GET('/api/v1/tasks/{task_id}/logs/find', {
      params: { ...path(task), query: params as FindQuery },
      signal,
    }),
  ) as Promise<Schemas['LogFound']>

export const getSections = (task: string, attempt: number, signal?: AbortSignal) =>
  take(
    api.GET('/api/v1/tasks/{task_id}/logs/sections', {
      params: { ...path(task), query: { attempt } },
      signal,
    }),
  ) as Promise<Sections>
