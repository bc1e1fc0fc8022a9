/** How the curves are shown, in the address: smoothing, scale, and what they stand over. */
import { isAxis } from './axis'
import type { CurveSettings } from './chart-options'
import { useSearchState } from '@/components/use-search-state'

export const MOST_SMOOTHING = 0.98

export function useCurveSettings(): [CurveSettings, (next: Partial<CurveSettings>) => void] {
  const [{ smooth, log, x }, set] = useSearchState({ smooth: '0.6', log: '', x: 'step' })
  const smoothing = Math.min(MOST_SMOOTHING, Math.max(0, Number(smooth) || 0))
  return [
    { smoothing, logarithmic: log === '1', axis: isAxis(x) ? x : 'step' },
    (next) =>
      set({
        ...(next.smoothing !== undefined && { smooth: String(next.smoothing) }),
        ...(next.logarithmic !== undefined && { log: next.logarithmic ? '1' : '' }),
        ...(next.axis !== undefined && { x: next.axis }),
      }),
  ]
}
