/** Where to go after sign-in: a page of this app, never another site. */
import { paths } from '@/app/paths'

export function localTarget(next: string | null): string {
  if (!next) return paths.overview
  // `//host`, `/\host` and `https:` lead elsewhere once a browser resolves them.
  const url = new URL(next, window.location.origin)
  if (!next.startsWith('/') || url.origin !== window.location.origin) return paths.overview
  return url.pathname + url.search + url.hash
}
