/**
 * Terminal colours as one can read them: any colour is made darker on light paper, lighter on dark,
 * until its contrast with what it stands on is 4.5:1 and a little.
 */

export type Rgb = readonly [number, number, number]
export type Mode = 'light' | 'dark'

export interface SpanStyle {
  color?: string
  background?: string
  fontWeight?: number
  fontStyle?: 'italic'
  textDecoration?: string
}

/** The surface of each theme that leaves the least contrast: a line under the pointer or marked. */
export const PAPER: Record<Mode, Rgb> = { light: [242, 242, 240], dark: [44, 42, 36] }
const INK: Record<Mode, Rgb> = { light: [24, 24, 27], dark: [231, 232, 236] }
const ENOUGH = 4.6

/** The sixteen names: black, red, green, yellow, blue, magenta, cyan, white, and their bright ones. */
const NAMED: readonly Rgb[] = [
  [60, 60, 67], [200, 30, 30], [21, 128, 61], [161, 98, 7],
  [37, 99, 235], [162, 28, 175], [14, 116, 144], [161, 161, 170],
  [113, 113, 122], [239, 68, 68], [34, 197, 94], [234, 179, 8],
  [96, 140, 250], [217, 70, 239], [6, 182, 212], [228, 228, 231],
]

function luminance(rgb: Rgb): number {
  const [r, g, b] = rgb.map((value) => {
    const part = value / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

/** As WCAG 2 defines it: 1 to 21. */
export function contrast(a: Rgb, b: Rgb): number {
  const [x, y] = [luminance(a), luminance(b)]
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05)
}

/** Of the 256 colours of terminals. */
export function indexed(index: number): Rgb {
  if (index < 16) return NAMED[index] ?? NAMED[0] as Rgb
  if (index >= 232) {
    const grey = 8 + (index - 232) * 10
    return [grey, grey, grey]
  }
  const level = (n: number) => (n ? 55 + n * 40 : 0)
  const n = index - 16
  return [level(Math.floor(n / 36)), level(Math.floor(n / 6) % 6), level(n % 6)]
}

const mix = (from: Rgb, to: Rgb, share: number) =>
  from.map((value, n) => Math.round(value + ((to[n] ?? 0) - value) * share)) as unknown as Rgb

/** `colour`, moved towards black or white until it can be read on `paper`. */
export function readable(colour: Rgb, paper: Rgb): Rgb {
  const goal: Rgb = contrast([0, 0, 0], paper) > contrast([255, 255, 255], paper) ? [0, 0, 0] : [255, 255, 255]
  for (let share = 0; share < 1; share += 0.04) {
    const tried = mix(colour, goal, share)
    if (contrast(tried, paper) >= ENOUGH) return tried
  }
  return goal
}

const css = (rgb: Rgb) => `rgb(${rgb.join(' ')})`

interface Sgr {
  text?: Rgb
  paper?: Rgb
  bold?: boolean
  italic?: boolean
  inverse?: boolean
  lines: string[]
}

function parse(code: string): Sgr {
  const parts = code.split(/[;:]/).map((part) => (part === '' ? 0 : Number(part)))
  const found: Sgr = { lines: [] }
  const long = () => {
    if (parts.shift() === 5) return indexed(Math.min(255, parts.shift() ?? 0))
    return [0, 1, 2].map(() => Math.min(255, parts.shift() ?? 0)) as unknown as Rgb
  }
  while (parts.length > 0) {
    const part = parts.shift() as number
    if (part === 1) found.bold = true
    else if (part === 3) found.italic = true
    else if (part === 4) found.lines.push('underline')
    else if (part === 7) found.inverse = true
    else if (part === 9) found.lines.push('line-through')
    else if (part === 38) found.text = long()
    else if (part === 48) found.paper = long()
    else if (part >= 30 && part <= 37) found.text = indexed(part - 30)
    else if (part >= 90 && part <= 97) found.text = indexed(part - 82)
    else if (part >= 40 && part <= 47) found.paper = indexed(part - 40)
    else if (part >= 100 && part <= 107) found.paper = indexed(part - 92)
  }
  return found
}

const known = new Map<string, SpanStyle>()

/** The look of a span with the terminal code `code` (`31`, `1;32`, `38;5;208` …). */
export function styleOf(code: string, mode: Mode): SpanStyle {
  const key = `${mode} ${code}`
  let style = known.get(key)
  if (!style) {
    // Colours by the number could be many; the names are few.
    if (known.size > 1000) known.clear()
    known.set(key, (style = newStyle(parse(code), mode)))
  }
  return style
}

function newStyle({ text, paper, bold, italic, inverse, lines }: Sgr, mode: Mode): SpanStyle {
  const [ink, below] = inverse ? [paper ?? PAPER[mode], text ?? INK[mode]] : [text, paper]
  return {
    ...((ink || below) && { color: css(readable(ink ?? INK[mode], below ?? PAPER[mode])) }),
    ...(below && { background: css(below) }),
    ...(bold && { fontWeight: 600 }),
    ...(italic && { fontStyle: 'italic' as const }),
    ...(lines.length > 0 && { textDecoration: lines.join(' ') }),
  }
}
