/** What can go wrong between browser and server, and the sentence that the user reads. */
import type { TFunction } from 'i18next'
import type { components } from './schema.gen'
import { countOf } from '@/i18n/counted'
import { texts } from '@/i18n/language'

export type Problem = components['schemas']['Problem']
export type FieldError = components['schemas']['FieldError']
export type Params = Record<string, string | number | boolean | null>

/** The server refused: a problem+json body, or any other unsuccessful answer. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly title: string
  readonly detail: string
  readonly params: Params
  readonly errors: FieldError[]
  readonly requestId: string

  constructor(problem: Partial<Problem> & { status: number }) {
    super(problem.detail || problem.title || `HTTP ${problem.status}`)
    this.name = 'ApiError'
    this.status = problem.status
    this.code = problem.code ?? 'HttpError'
    this.title = problem.title ?? ''
    this.detail = problem.detail ?? ''
    this.params = problem.params ?? {}
    this.errors = problem.errors ?? []
    this.requestId = problem.request_id ?? ''
  }
}

/** No answer came: the server is down, or the network is. */
export class NetworkError extends Error {
  constructor(cause?: unknown) {
    super('The server does not answer.', { cause })
    this.name = 'NetworkError'
  }
}

/** Reads an unsuccessful answer; whatever the body is, an `ApiError` comes out. */
export async function errorOf(response: Response): Promise<ApiError> {
  const text = await response.text().catch(() => '')
  return errorOfText(response.status, text)
}

/** The same for a body that was already read (uploads). */
export function errorOfText(status: number, text: string): ApiError {
  try {
    const body: unknown = JSON.parse(text)
    if (body && typeof body === 'object') {
      return new ApiError({ ...(body as Partial<Problem>), status })
    }
  } catch {
    // Not JSON: a proxy answered. The status says enough.
  }
  return new ApiError({ status })
}

/** Whether the cause may pass by itself: then we wait instead of giving up. */
export function isTemporary(error: unknown): boolean {
  if (error instanceof NetworkError) return true
  return error instanceof ApiError && [502, 503, 504].includes(error.status)
}

/** Our own server's refusals that mean it can serve nobody; other 503s concern one call only. */
const AWAY_CODES = new Set(['Unavailable', 'DatabaseUnavailable'])

/** Whether the platform as a whole is away: no answer, a proxy's answer, or its own word for it. */
export function isServerAway(error: unknown): boolean {
  if (error instanceof NetworkError) return true
  if (!(error instanceof ApiError) || !isTemporary(error)) return false
  return error.requestId === '' || AWAY_CODES.has(error.code)
}

interface Coded {
  code: string
  message: string
  params?: Params
}

/** The server speaks English, and its own sentence knows most: while English is shown it stays. */
const isEnglish = () => texts.language.startsWith('en')

/** Its sentences know no plurals and call states by their codes: these are said here in English, too. */
const isSaidBetterHere = (code: string, params: Params): boolean =>
  'status' in params ? texts.exists(`errors.codes.${code}`) : texts.exists(`errors.codes.${code}_other`)

/** The sentence for a code: `errors.codes.CODE` in the user's language, else what came with it. */
export function translateCode(t: TFunction, { code, message, params = {} }: Coded): string {
  if (message && isEnglish() && !isSaidBetterHere(code, params)) return message
  const said = { ...reasonOf(t, params), ...workOf(t, params) }
  const values = { ...params, ...said, ...countOf(code, params), defaultValue: message }
  return t(`errors.codes.${code}` as 'errors.unknown', values)
}

/** Why, where the server names a reason by a code of its own: as a phrase, or with the next step. */
function reasonOf(t: TFunction, params: Params): { reason?: string } {
  const code = String(params.reason_code ?? '')
  const words = ['reasons', 'codes', 'hints']
    .map((kind) => `errors.${kind}.${code}`)
    .filter((key) => code && texts.exists(key, params))
  if (words.length === 0) return {}
  return { reason: words.map((key) => t(key as 'errors.unknown', params)).join(' ') }
}

/** What was at work, and how it is begun again, where the server names it. */
function workOf(t: TFunction, { work }: Params): { work?: string; again?: string } {
  if (typeof work !== 'string' || !texts.exists(`errors.works.${work}`)) return {}
  const say = (kind: string) => t(`errors.${kind}.${work}` as 'errors.unknown')
  return { work: say('works'), again: say('again') }
}

/** The next step for a code, in the same way. */
export function translateHint(
  t: TFunction,
  { code, hint, params = {} }: { code: string; hint: string; params?: Params },
): string {
  if (hint && isEnglish()) return hint
  return t(`errors.hints.${code}` as 'errors.unknown', { ...params, ...workOf(t, params), defaultValue: hint })
}

/** What the server said, when a translation may say less; null when it is what is shown. */
export const originalWords = (message: string): string | null =>
  isEnglish() || !message ? null : message

/** One sentence for any error. */
export function errorSentence(t: TFunction, error: unknown): string {
  if (error instanceof NetworkError) return t('errors.network')
  if (error instanceof ApiError) {
    const one = error.code === 'InvalidRequest' && error.errors.length === 1 && error.errors[0]
    if (one) return fieldErrorSentence(t, one)
    const said = error.detail || error.title
    const sentence = translateCode(t, { code: error.code, message: said, params: error.params })
    return sentence || t('errors.status', { status: error.status })
  }
  return t('errors.unknown')
}

/** Codes of the validation library, whose messages are written for programmers. */
const isShapeError = (code: string) => texts.exists(`errors.fields.${code}`)

/** The sentence beside one wrong field. */
export function fieldErrorSentence(t: TFunction, error: FieldError): string {
  if (error.message && isEnglish() && !isShapeError(error.code)) return error.message
  return t(`errors.fields.${error.code}` as 'errors.unknown', {
    ...error.params,
    defaultValue: error.message,
  })
}

/** `/hyperparameters/epochs` → `['hyperparameters', 'epochs']`, with `~1` and `~0` undone. */
export function pointerPath(pointer: string): (string | number)[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part))
}
