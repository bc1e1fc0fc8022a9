/**
 * The shape that every language has: the keys of English. Languages without a singular form leave
 * the `_one` keys out.
 */
import type en from './en'

type Same<T> = {
  [K in keyof T as K extends `${string}_one` ? never : K]: T[K] extends string ? string : Same<T[K]>
} & { [K in keyof T as K extends `${string}_one` ? K : never]?: string }

export type Translation = Same<typeof en>

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'translation'
    resources: { translation: typeof en }
  }
}
