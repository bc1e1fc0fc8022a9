/** Which parts a kind of record has, and a first guess from the names of the columns. */
import type { Schemas } from '@/api/client'

type Mapping = Schemas['Mapping']
export type Part = 'prompt' | 'input' | 'completion' | 'system' | 'text' | 'label' | 'messages'
export type MappableType = 'prompt_completion' | 'conversational' | 'classification' | 'language_modeling'

export const PARTS: Record<MappableType, { part: Part; required: boolean }[]> = {
  prompt_completion: [
    { part: 'prompt', required: true },
    { part: 'input', required: false },
    { part: 'completion', required: true },
    { part: 'system', required: false },
  ],
  conversational: [
    { part: 'messages', required: true },
    { part: 'system', required: false },
  ],
  classification: [
    { part: 'text', required: true },
    { part: 'label', required: true },
  ],
  language_modeling: [{ part: 'text', required: true }],
}

export const MAPPABLE_TYPES = Object.keys(PARTS) as MappableType[]

/** The usual names of columns, the surest first. */
const USUAL_NAMES: Record<Part, string[]> = {
  prompt: 'prompt instruction question query user source src q 指令 问题 提问 原文'.split(' '),
  input: 'input context passage 输入 上下文'.split(' '),
  completion:
    'completion output response answer assistant reply target tgt a 输出 回答 答案 译文'.split(' '),
  system: 'system system_prompt 系统'.split(' '),
  text: 'text content sentence review comment document body 文本 内容 评论'.split(' '),
  label: 'label labels class category sentiment target 标签 类别 情感'.split(' '),
  messages: 'messages conversations conversation dialogue dialog chat 对话'.split(' '),
}

/** A column for each part whose usual name is among the columns; no column serves twice. */
export function guessColumns(type: MappableType, columns: readonly string[]): Mapping['columns'] {
  const free = [...columns]
  const guess: Mapping['columns'] = {}
  for (const { part } of PARTS[type]) {
    const names = free.map((column) => column.trim().toLowerCase())
    const name = USUAL_NAMES[part].find((usual) => names.includes(usual))
    const column = name && free.splice(names.indexOf(name), 1)[0]
    if (column) guess[part] = column
  }
  return guess
}

/** The type whose required parts are guessed best; on a tie the first of the list. */
export function guessType(columns: readonly string[]): MappableType {
  let best: MappableType = 'prompt_completion'
  let bestShare = 0
  for (const type of MAPPABLE_TYPES) {
    const guess = guessColumns(type, columns)
    const required = PARTS[type].filter((each) => each.required)
    const share = required.filter(({ part }) => guess[part]).length / required.length
    if (share > bestShare) {
      best = type
      bestShare = share
    }
  }
  return best
}

/** The mapping without the parts that were left empty. */
export function toMapping(
  type: MappableType,
  columns: Partial<Record<Part, string | undefined>>,
  systemText: string,
): Mapping {
  const chosen: Mapping['columns'] = {}
  for (const { part } of PARTS[type]) {
    const column = columns[part]
    if (column) chosen[part] = column
  }
  return { record_type: type, columns: chosen, system_text: systemText.trim() || null }
}
