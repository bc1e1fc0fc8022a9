/** The sentence for what is wrong with a data set or its file. */
import type { TFunction } from 'i18next'
import type { Schemas } from '@/api/client'
import { translateCode } from '@/api/errors'

export const errorLine = (t: TFunction, error: Schemas['DatasetError']): string =>
  translateCode(t, error)

/** The next step; translated by `errors.hints.CODE`, else the server's own words. */
export const errorHint = (t: TFunction, { code, hint, params }: Schemas['DatasetError']): string =>
  t(`errors.hints.${code}` as 'errors.unknown', { ...params, defaultValue: hint })
