/** What is wrong with a data set or its file, and the next step. */
import type { TFunction } from 'i18next'
import type { Schemas } from '@/api/client'
import { translateCode, translateHint } from '@/api/errors'

export const errorLine = (t: TFunction, error: Schemas['DatasetError']): string =>
  translateCode(t, error)

export const errorHint = (t: TFunction, error: Schemas['DatasetError']): string =>
  translateHint(t, error)
