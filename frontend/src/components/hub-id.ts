/** What people type or paste when they name something on a model hub. */

const HUB_ID = /^[A-Za-z0-9][\w.-]{0,95}\/[A-Za-z0-9][\w.-]{0,95}$/
const KINDS = ['datasets', 'models']

/** People paste addresses: `https://…/datasets/owner/name/tree/main` → `owner/name`. */
export function hubId(text: string): string {
  const trimmed = text.trim()
  const path = /^https?:\/\/[^/]+\/([^?#]*)/.exec(trimmed)?.[1]
  if (path === undefined) return trimmed
  const parts = path.split('/')
  return (KINDS.includes(parts[0] ?? '') ? parts.slice(1, 3) : parts.slice(0, 2)).join('/')
}

/** Whether it is `owner/name`, or an address that contains it. */
export const isHubId = (text: string): boolean => {
  const id = hubId(text)
  return HUB_ID.test(id) && !id.includes('..')
}
