/** Why a message did not arrive, as a sentence. */
import type { TFunction } from 'i18next'
import type { DeliveryError } from '../api'

export const deliverySentence = (t: TFunction, { code, params = {} }: DeliveryError): string =>
  t(`noticeTargets.errors.${code}` as 'noticeTargets.errors.sender_failed', {
    ...params,
    defaultValue: code,
  })
