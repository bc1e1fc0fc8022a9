/** Tokens as they are drawn: neighbours of one kind together, white space made visible. */
import type { Schemas } from '@/api/client'

export type Token = Schemas['RenderedToken']

export interface Run {
  kind: 'read' | 'trained' | 'cut'
  tokens: Token[]
}

/** What was cut stands where it was: before token `cut_at`. */
export function runsOf(sample: Schemas['RenderedSample']): Run[] {
  const runs: Run[] = []
  const add = (token: Token, kind: Run['kind']) => {
    const last = runs.at(-1)
    if (last?.kind === kind) last.tokens.push(token)
    else runs.push({ kind, tokens: [token] })
  }
  const { tokens, cut, cut_at: cutAt } = sample
  const kindOf = ({ trained }: Token) => (trained ? 'trained' : 'read')
  for (const token of tokens.slice(0, cutAt)) add(token, kindOf(token))
  for (const token of cut) add(token, 'cut')
  for (const token of tokens.slice(cutAt)) add(token, kindOf(token))
  return runs
}

// A character of several tokens stands at the last of them.
const PART_OF_A_CHARACTER = '▯'
const SIGNS: Record<string, string> = { ' ': '·', '\n': '↵\n', '\t': '⇥', '\r': '␍' }

export const visible = (text: string) =>
  text === '' ? PART_OF_A_CHARACTER : text.replace(/[ \n\t\r]/g, (each) => SIGNS[each] ?? each)
