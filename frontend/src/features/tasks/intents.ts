/** What a model is for: one of those we know, or the words of whoever created the task. */
import type { TFunction } from 'i18next'
import type { Schemas } from '@/api/client'

export const INTENTS = [
  'chat',
  'instruction',
  'question_answering',
  'classification',
  'translation',
  'other',
] as const satisfies readonly Schemas['Intent'][]

export const isKnownIntent = (intent: string): intent is Schemas['Intent'] =>
  INTENTS.some((known) => known === intent)

export const intentName = (t: TFunction, intent: string): string =>
  isKnownIntent(intent) ? t(`tasks.intents.${intent}`) : intent
