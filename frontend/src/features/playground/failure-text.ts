/** Why no answer came, in the user's language. */
import type { TFunction } from 'i18next'
import type { Schemas } from '@/api/client'
import { translateCode, translateHint } from '@/api/errors'

const OWN = [
  'training_started',
  'shutdown',
  'worker_crashed',
  'not_a_classifier',
  'not_a_language_model',
] as const

/** The playground's own reasons have words here; the engine's are those of any run. */
export function failureText(t: TFunction, error: Schemas['PlaygroundError']) {
  const own = OWN.find((code) => code === error.code)
  if (own) {
    return {
      message: t(`playground.failures.${own}.message`),
      hint: t(`playground.failures.${own}.hint`),
    }
  }
  return { message: translateCode(t, error), hint: translateHint(t, error) }
}
