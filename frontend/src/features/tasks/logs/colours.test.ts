import { describe, expect, it } from 'vitest'
import { contrast, indexed, PAPER, readable, styleOf, type Mode, type Rgb } from './colours'

const rgb = (css: string | undefined) => (css?.match(/\d+/g) ?? []).map(Number) as unknown as Rgb
// What lines stand on in each theme: plain, under the pointer, marked.
const SURFACES: Record<Mode, Rgb[]> = {
  light: [[255, 255, 255], [250, 250, 250], [255, 251, 235]],
  dark: [[21, 24, 30], [33, 36, 41], [37, 30, 16]],
}

describe.each(['light', 'dark'] as const)('%s', (mode) => {
  it('can be read in each of the 256 colours, on every surface', () => {
    for (let n = 0; n < 256; n++) {
      const { color } = styleOf(`38;5;${n}`, mode)
      for (const paper of SURFACES[mode]) {
        expect([n, contrast(rgb(color), paper) >= 4.5]).toEqual([n, true])
      }
    }
  })

  it('can be read on coloured paper', () => {
    for (let n = 0; n < 256; n += 5) {
      for (const code of [`48;5;${n}`, `31;48;5;${n}`, `7;38;5;${n}`]) {
        const { color, background } = styleOf(code, mode)
        expect([code, contrast(rgb(color), rgb(background)) >= 4.5]).toEqual([code, true])
      }
    }
  })

  it('keeps the hue: red stays red, green green', () => {
    const [r, g, b] = rgb(styleOf('31', mode).color)
    expect(r > g && r > b).toBe(true)
    const green = rgb(styleOf('92', mode).color)
    expect(green[1] > green[0] && green[1] > green[2]).toBe(true)
  })
})

it('knows weights, lines and full colours, and takes rubbish for nothing', () => {
  expect(styleOf('1;3;4;9', 'light')).toEqual({
    fontWeight: 600, fontStyle: 'italic', textDecoration: 'underline line-through',
  })
  expect(rgb(styleOf('38;2;200;0;0', 'light').color)).toEqual([200, 0, 0])
  expect(styleOf('', 'light')).toEqual({})
  expect(styleOf('x;99999;38', 'dark').fontWeight).toBeUndefined()
})

it('leaves a colour that can be read as it is', () => {
  expect(readable([0, 0, 120], PAPER.light)).toEqual([0, 0, 120])
  expect(indexed(231)).toEqual([255, 255, 255])
  expect(indexed(16)).toEqual([0, 0, 0])
})
