/** Why a model or a folder can not be used, and what is wrong with a model, in the user's words. */
import type { TFunction } from 'i18next'
import type { Schemas } from '@/api/client'
import { translateCode, translateHint } from '@/api/errors'

/** A reason code of the catalogue or of a local folder. */
export const reasonText = (t: TFunction, code: string): string =>
  t(`models.reasons.${code}` as 'models.title', { defaultValue: code.replaceAll('_', ' ') })

export const modelErrorLine = (t: TFunction, error: Schemas['ModelError']): string =>
  translateCode(t, error)

export const modelErrorHint = (t: TFunction, error: Schemas['ModelError']): string =>
  translateHint(t, error)
