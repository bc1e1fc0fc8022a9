/** The keys move the focus, stay out of fields, and can be switched off. */
import { cleanup, fireEvent, render, screen } from '@testing-library/react'
import { useRef } from 'react'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ROW_LINK, useListKeys } from './use-list-keys'

function List() {
  const list = useRef<HTMLDivElement>(null)
  const keys = useListKeys(list)
  return (
    <div ref={list}>
      <input type="search" />
      <button onClick={() => keys.set(!keys.on)}>switch</button>
      <table>
        <tbody>
          {['one', 'two', 'three'].map((name) => (
            <tr key={name}>
              <td>
                <input type="checkbox" aria-label={`choose ${name}`} />
                <a href="/x" {...{ [ROW_LINK]: '' }}>
                  {name}
                </a>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

const press = (key: string, more = {}) =>
  fireEvent.keyDown(document.activeElement ?? document.body, { key, ...more })
const focused = () => document.activeElement?.textContent

beforeEach(() => {
  localStorage.clear()
  render(<List />)
})
afterEach(cleanup)

it('moves down and up, and stops at the ends', () => {
  press('k')
  expect(focused()).toBe('one')
  for (const expected of ['two', 'three', 'three']) {
    press('j')
    expect(focused()).toBe(expected)
  }
  press('k')
  expect(focused()).toBe('two')
})

it('moves by arrows only from a row that has the focus: else they scroll', () => {
  press('ArrowDown')
  expect(focused()).not.toBe('one')
  press('j')
  press('ArrowDown')
  expect(focused()).toBe('two')
  press('ArrowUp')
  expect(focused()).toBe('one')
})

it('goes on from the row in which something else has the focus', () => {
  screen.getByLabelText('choose two').focus()
  press('j')
  expect(focused()).toBe('three')
})

it('searches with a slash, and leaves the field to whoever types there', () => {
  press('/')
  const field = screen.getByRole('searchbox')
  expect(document.activeElement).toBe(field)
  press('j')
  expect(document.activeElement).toBe(field)
})

it('leaves shortcuts of the browser alone', () => {
  press('j', { ctrlKey: true })
  expect(focused()).not.toBe('one')
})

it('can be switched off, for good', () => {
  fireEvent.click(screen.getByText('switch'))
  press('j')
  expect(focused()).not.toBe('one')
  cleanup()
  render(<List />)
  press('j')
  expect(focused()).not.toBe('one')
})
