/** Which parts a kind of record has, and a first guess from the names of the columns. */
import type { Schemas } from '@/api/client'

type Mapping = Schemas['Mapping']
export type MappableType = Mapping['record_type']
export type Part =
  | ('prompt' | 'input' | 'completion' | 'completions' | 'system' | 'history' | 'tools')
  | ('text' | 'label' | 'labels' | 'messages' | 'chosen' | 'rejected')
export type Tag = keyof Schemas['MappingTags']

interface Wanted {
  part: Part
  required: boolean
  /** With a column for this part, the part is not there. */
  unless?: Part
  /** Usual names where those of the part would say something else. */
  names?: string[]
}

const PROMPT: Wanted[] = [
  { part: 'prompt', required: true },
  { part: 'input', required: false },
]
const BESIDE: Wanted[] = [
  { part: 'system', required: false },
  { part: 'history', required: false },
  { part: 'tools', required: false },
]
const OR_MESSAGES = { unless: 'messages' } as const
const VERDICTS = 'label kto_tag verdict feedback rating thumbs good is_good 评价 反馈'.split(' ')

export const PARTS: Record<MappableType, Wanted[]> = {
  prompt_completion: [...PROMPT, { part: 'completion', required: true }, ...BESIDE],
  conversational: [
    { part: 'messages', required: true },
    { part: 'system', required: false },
    { part: 'tools', required: false },
  ],
  classification: [
    { part: 'text', required: true, ...OR_MESSAGES },
    { part: 'messages', required: false, unless: 'text' },
    { part: 'label', required: true },
  ],
  language_modeling: [{ part: 'text', required: true }],
  preference: [
    { part: 'prompt', required: false, ...OR_MESSAGES },
    { part: 'input', required: false, ...OR_MESSAGES },
    { part: 'messages', required: false, unless: 'prompt' },
    { part: 'chosen', required: true },
    { part: 'rejected', required: true },
    ...BESIDE,
  ],
  unpaired_preference: [
    ...PROMPT.map((wanted) => ({ ...wanted, ...OR_MESSAGES })),
    { part: 'completion', required: true, ...OR_MESSAGES },
    { part: 'messages', required: false, unless: 'prompt' },
    { part: 'label', required: true, names: VERDICTS },
    ...BESIDE,
  ],
  stepwise_supervision: [
    ...PROMPT,
    { part: 'completions', required: true },
    { part: 'labels', required: true },
    { part: 'system', required: false },
  ],
}

export const MAPPABLE_TYPES = Object.keys(PARTS) as MappableType[]
export const TAGS: Tag[] = [
  ...(['role', 'content', 'user', 'assistant'] as const),
  ...(['observation', 'function_call', 'system'] as const),
]

/** Whether a system message for every row makes sense. */
export const takesSystem = (type: MappableType) => PARTS[type].some(({ part }) => part === 'system')
/** Whether labels say good or bad, so that the value for good may be named. */
export const takesVerdict = (type: MappableType) =>
  type === 'unpaired_preference' || type === 'stepwise_supervision'

/** The usual names of columns, the surest first. */
const USUAL_NAMES: Record<Part, string[]> = {
  prompt: 'prompt instruction question query user source src q 指令 问题 提问 原文'.split(' '),
  input: 'input context passage 输入 上下文'.split(' '),
  completion:
    'completion output response answer assistant reply target tgt a 输出 回答 答案 译文'.split(' '),
  completions: 'completions steps step solution_steps 步骤'.split(' '),
  system: 'system system_prompt 系统'.split(' '),
  history: 'history 历史 历史对话'.split(' '),
  tools: 'tools functions 工具'.split(' '),
  text: 'text content sentence review comment document body 文本 内容 评论'.split(' '),
  label: 'label labels class category sentiment score rating stars target 标签 类别 情感 评分'.split(' '),
  labels: 'labels label ratings 标签'.split(' '),
  messages: 'messages conversations conversation dialogue dialog chat 对话'.split(' '),
  chosen: 'chosen chosen_response preferred better win accepted 优选'.split(' '),
  rejected: 'rejected rejected_response rejected_text worse lose dispreferred 劣选'.split(' '),
}

/** A column for each part whose usual name is among the columns; no column serves twice. */
export function guessColumns(type: MappableType, columns: readonly string[]): Mapping['columns'] {
  const free = [...columns]
  const guess: Mapping['columns'] = {}
  for (const { part, unless, names: usual } of PARTS[type]) {
    if (unless && guess[unless]) continue
    const names = free.map((column) => column.trim().toLowerCase())
    const name = (usual ?? USUAL_NAMES[part]).find((each) => names.includes(each))
    const column = name && free.splice(names.indexOf(name), 1)[0]
    if (column) guess[part] = column
  }
  return guess
}

/** The type whose required parts are guessed best; on a tie the one that needs more. */
export function guessType(columns: readonly string[]): MappableType {
  let best: MappableType = 'prompt_completion'
  let bestScore = 0
  for (const type of MAPPABLE_TYPES) {
    const guess = guessColumns(type, columns)
    const required = PARTS[type].filter((each) => each.required)
    const found = required.filter(({ part, unless }) => guess[part] ?? (unless && guess[unless]))
    const share = found.length / required.length
    const score = share === 1 ? 1 + new Set(Object.values(guess)).size : share
    if (found.length > 0 && score > bestScore) {
      best = type
      bestScore = score
    }
  }
  return best
}

/** Whether a column for each class may stand in place of a label. */
export const takesClasses = (type: MappableType) => type === 'classification'

export interface Said {
  columns: Partial<Record<Part, string | undefined>>
  systemText?: string
  tags?: Partial<Record<Tag, string | undefined>>
  labelTrue?: string
  classes?: string[]
}

/** The mapping without what was left empty or is no part of the type. */
export function toMapping(type: MappableType, said: Said): Mapping {
  const chosen: Mapping['columns'] = {}
  for (const { part, unless } of PARTS[type]) {
    const column = said.columns[part]
    if (column && !(unless && chosen[unless])) chosen[part] = column
  }
  const classes = takesClasses(type) && !chosen.label ? (said.classes ?? []) : []
  const tags: Schemas['MappingTags'] = {}
  for (const tag of chosen.messages ? TAGS : []) {
    const name = said.tags?.[tag]?.trim()
    if (name) tags[tag] = name
  }
  return {
    record_type: type,
    columns: chosen,
    tags: Object.keys(tags).length > 0 ? tags : null,
    system_text: (takesSystem(type) && said.systemText?.trim()) || null,
    label_true: (takesVerdict(type) && said.labelTrue?.trim()) || null,
    label_columns: classes.length > 0 ? classes : null,
  }
}
