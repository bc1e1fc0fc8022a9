/** What each change of a row asks for: one description, from which the form is made. Pure. */
import type { Change, ChangeKind } from '../steps'

export type ChangeField =
  | { name: string; type: 'text' | 'long' | 'number' | 'switch' | 'column' | 'columns' }
  | { name: string; type: 'choice'; options: readonly string[] }

const WHEN = { name: 'when', type: 'choice', options: ['missing', 'always'] } as const

export const CHANGE_FIELDS: Record<ChangeKind, readonly ChangeField[]> = {
  trim: [],
  collapse_spaces: [],
  replace: [
    { name: 'in', type: 'choice', options: ['all', 'prompt', 'answer', 'system', 'text'] },
    { name: 'find', type: 'text' },
    { name: 'with', type: 'text' },
    { name: 'regex', type: 'switch' },
  ],
  set_system: [{ name: 'text', type: 'long' }, WHEN],
  system_from_extra: [{ name: 'column', type: 'column' }, WHEN],
  remove_system: [],
  keep_last_turns: [{ name: 'turns', type: 'number' }],
  rename_label: [
    { name: 'from', type: 'text' },
    { name: 'to', type: 'text' },
  ],
  label_from_extra: [{ name: 'column', type: 'column' }],
  drop_extra: [{ name: 'columns', type: 'columns' }],
  to_text: [
    { name: 'separator', type: 'text' },
    { name: 'role_names', type: 'switch' },
  ],
  to_conversation: [
    { name: 'prompt', type: 'long' },
    { name: 'answer', type: 'long' },
    { name: 'system', type: 'long' },
  ],
  to_classification: [],
  to_prompt_completion: [],
  to_conversational: [],
}

export const CHANGE_KINDS = Object.keys(CHANGE_FIELDS) as ChangeKind[]

export function newChange(kind: ChangeKind): Change {
  switch (kind) {
    case 'replace':
      return { kind, in: 'all', find: '', with: '', regex: false }
    case 'set_system':
      return { kind, text: '', when: 'missing' }
    case 'system_from_extra':
      return { kind, column: '', when: 'always' }
    case 'keep_last_turns':
      return { kind, turns: 2 }
    case 'rename_label':
      return { kind, from: '', to: '' }
    case 'label_from_extra':
      return { kind, column: '' }
    case 'drop_extra':
      return { kind, columns: null }
    case 'to_text':
      return { kind, separator: '\n\n', role_names: false }
    case 'to_conversation':
      return { kind, prompt: '{text}', answer: '{label}', system: null }
    default:
      return { kind } as Change
  }
}

/** An escape is how a line break is written in a field of one line. */
export const shownText = (text: string) => text.replaceAll('\n', '\\n').replaceAll('\t', '\\t')
export const meantText = (text: string) => text.replaceAll('\\n', '\n').replaceAll('\\t', '\t')
