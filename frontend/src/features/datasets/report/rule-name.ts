/** What a rule of the importer is called in the user's language. */
import type { TFunction } from 'i18next'

export const ruleName = (t: TFunction, rule: string): string =>
  t(`datasets.rules.${rule}` as 'datasets.report.rule', {
    defaultValue: rule.replaceAll('_', ' '),
  })
