/** What a password must be, as far as the browser can tell; the server checks more. */
export const MIN_PASSWORD_LENGTH = 12
export const MAX_PASSWORD_LENGTH = 128

export interface PasswordVerdict {
  longEnough: boolean
  notTheName: boolean
  varied: boolean
}

const MIN_DIFFERENT = 5

/** Characters are counted as people count them: one emoji is one. */
export function judgePassword(password: string, username: string): PasswordVerdict {
  const characters = [...password]
  const name = username.trim().toLowerCase()
  return {
    longEnough:
      characters.length >= MIN_PASSWORD_LENGTH && characters.length <= MAX_PASSWORD_LENGTH,
    notTheName:
      password !== '' && (name.length < 3 || !password.toLowerCase().includes(name)),
    varied: new Set(characters).size >= MIN_DIFFERENT,
  }
}

export const isAcceptable = (verdict: PasswordVerdict) => Object.values(verdict).every(Boolean)
