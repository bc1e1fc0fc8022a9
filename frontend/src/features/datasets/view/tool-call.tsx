/** A tool that is called, and the tools that may be: one line that unfolds. */
import { ToolOutlined } from '@ant-design/icons'
import { useTranslation } from 'react-i18next'
import { CutText, Marked } from './cut-text'
import type { Reading } from './reading'
import { asText, type Call } from './record-text'

/** Arguments that came as the text of a JSON value are shown as that value. */
function pretty(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value ?? {}, null, 2)
  try {
    return JSON.stringify(JSON.parse(value), null, 2)
  } catch {
    return value
  }
}

const LINE = 120

export function ToolCall({ call, query }: { call: Call; query?: string | undefined }) {
  const line = asText(call.args ?? {}).replaceAll(/\s+/g, ' ')
  return (
    <details className="tool-call">
      <summary>
        <ToolOutlined aria-hidden /> <strong className="mono">{call.name}</strong>
        <span className="mono secondary">
          {'('}
          <Marked text={line.length > LINE ? `${line.slice(0, LINE)}…` : line} query={query} />
          {')'}
        </span>
      </summary>
      {/* A keyboard must be able to scroll what is wider than the page. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre className="record-raw mono" tabIndex={0}>
        <CutText text={pretty(call.args)} query={query} />
      </pre>
    </details>
  )
}

export function ToolList({ tools }: Pick<Reading, 'tools'>) {
  const { t } = useTranslation()
  if (tools.length === 0) return null
  return (
    <details className="tool-call">
      <summary>
        <ToolOutlined aria-hidden /> {t('datasets.rowView.tools', { count: tools.length })}{' '}
        <span className="mono secondary">{tools.map(({ name }) => name).join(', ')}</span>
      </summary>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre className="record-raw mono" tabIndex={0}>
        <CutText text={tools.map(({ definition }) => pretty(definition)).join('\n')} />
      </pre>
    </details>
  )
}
