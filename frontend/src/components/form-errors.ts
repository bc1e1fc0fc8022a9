/** Puts the server's field errors beside the fields of a form. */
import type { FormInstance } from 'antd'
import type { TFunction } from 'i18next'
import { ApiError, fieldErrorSentence, pointerPath } from '@/api/errors'

/**
 * Marks the fields that the error names and scrolls to the first; false when it names none, so
 * that the caller shows the error elsewhere. `known` are the form's top-level field names.
 */
export function showFieldErrors(
  form: FormInstance,
  error: unknown,
  t: TFunction,
  known: readonly string[],
): boolean {
  if (!(error instanceof ApiError)) return false
  const fields = error.errors
    .map((each) => ({ name: pointerPath(each.pointer), errors: [fieldErrorSentence(t, each)] }))
    .filter(({ name }) => known.includes(String(name[0])))
  const first = fields[0]
  if (!first) return false
  form.setFields(fields)
  form.scrollToField(first.name, { focus: true })
  return true
}
