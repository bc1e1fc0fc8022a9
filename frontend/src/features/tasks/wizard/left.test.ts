/** What is left is told once, with the field and the step where it is put right. */
import type { TFunction } from 'i18next'
import { expect, it } from 'vitest'
import { refusalsOf, whatIsLeft } from './left'
import type { Format } from './texts'
import type { Plan } from './use-plan'
import { ApiError } from '@/api/errors'

const t = ((key: string, options?: { defaultValue?: string }) =>
  options?.defaultValue ?? key) as unknown as TFunction
const format = { value: String, number: String, bytes: String } as unknown as Format

const plan = (changed: Partial<Plan> = {}): Plan => ({
  compatibility: undefined,
  checking: false,
  compatibilityFailure: null,
  recommendation: undefined,
  unbound: undefined,
  recommending: false,
  recommendationError: null,
  estimate: undefined,
  estimating: false,
  estimateError: null,
  ...changed,
})

const finding = (code: string, blocking: boolean) => ({ code, message: code, params: {}, blocking })
const refusal = new ApiError({
  status: 400,
  code: 'TaskRefused',
  errors: [
    { pointer: '/model_id', code: 'no_chat_template', message: 'No template.', params: {} },
    {
      pointer: '/hyperparameters/max_length',
      code: 'max_length_too_long',
      message: 'Too long.',
      params: {},
    },
  ],
})

it('is nothing when nobody objects', () => {
  const compatibility = { ok: true, problems: [finding('few_rows', false)] }
  expect(whatIsLeft(t, format, [], {}, plan({ compatibility }))).toEqual([])
})

it('gathers form, refusal, check and estimate; the same misfit once', () => {
  const left = whatIsLeft(
    t,
    format,
    [{ field: 'hyperparameters.epochs', code: 'at_most', params: { limit: 100 } }],
    { output_name: 'Taken.' },
    plan({
      compatibility: { ok: false, problems: [finding('no_chat_template', true)] },
      estimateError: refusal,
    }),
  )
  expect(left.map(({ field, step }) => [field, step])).toEqual([
    ['hyperparameters.epochs', 2],
    ['output_name', 0],
    ['chat_template', 2],
    ['hyperparameters.max_length', 2],
  ])
})

it('stops the start on a blocking warning of the estimate only', () => {
  const estimate = { warnings: [finding('memory_tight', false), finding('no_room', true)] }
  const left = whatIsLeft(t, format, [], {}, plan({ estimate: estimate as Plan['estimate'] }))
  expect(left).toMatchObject([{ key: 'no_room', step: 3 }])
})

it('ties what the server refuses to fields', () => {
  expect(refusalsOf(t, format, refusal)).toEqual({
    model_id: 'No template.',
    'hyperparameters.max_length': 'Too long.',
  })
  expect(refusalsOf(t, format, new Error('network'))).toEqual({})
})
