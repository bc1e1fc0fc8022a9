/** What a password must be, as far as the browser can tell; the server checks more. */
export const MIN_PASSWORD_LENGTH = 12
export const MAX_PASSWORD_LENGTH = 128

export interface PasswordVerdict {
  longEnough: boolean
  notTheName: boolean
  varied: boolean
}

const MIN_DIFFERENT = 5

/** Letters that must remain when the user's name is taken out. */
const MIN_BESIDE_NAME = 6

/** Characters are counted as people count them: one emoji is one. */
export function judgePassword(password: string, username: string): PasswordVerdict {
  const lower = password.toLowerCase()
  const characters = [...lower]
  const name = username.trim().toLowerCase()
  const rest = name ? lower.replaceAll(name, '').replace(/[\W\d_]/g, '') : lower
  const dressedName = name.length > 2 && lower.includes(name) && rest.length < MIN_BESIDE_NAME
  return {
    longEnough:
      characters.length >= MIN_PASSWORD_LENGTH && characters.length <= MAX_PASSWORD_LENGTH,
    notTheName: password !== '' && !dressedName,
    varied: new Set(characters).size >= MIN_DIFFERENT,
  }
}

export const isAcceptable = (verdict: PasswordVerdict) => Object.values(verdict).every(Boolean)
