/**
 * Saves a draft soon after each change: one request at a time, the newest state wins, one that got
 * no answer is tried again. Knows nothing of React, so that its timing can be tested.
 */
import { ApiError } from '@/api/errors'

/** `failed` is tried again by itself; `refused` is not, until something changes. */
export type SaveState = 'idle' | 'saving' | 'saved' | 'failed' | 'refused'

export interface DraftBody {
  values: Record<string, unknown>
  step: number
}

export interface DraftCalls {
  create: (body: DraftBody) => Promise<{ id: string }>
  save: (id: string, body: DraftBody) => Promise<unknown>
}

export type SaveListener = (state: SaveState, id: string | null, error?: unknown) => void

const DELAY_MS = 500
const RETRY_MS = 5000

export class DraftSaver {
  private pending: DraftBody | null = null
  private running: Promise<void> | null = null
  private timer: ReturnType<typeof setTimeout> | undefined
  private stopped = false
  private onChange: SaveListener = () => undefined

  constructor(
    private readonly calls: DraftCalls,
    public id: string | null,
  ) {}

  /** Tells one listener how the saving goes. */
  listen(listener: SaveListener): void {
    this.onChange = listener
  }

  /** Saves within a second. */
  change(body: DraftBody): void {
    if (this.stopped) return
    this.pending = body
    this.schedule(DELAY_MS)
  }

  /** Saves now what is not saved yet; ends when it is, or could not be. */
  async flush(): Promise<void> {
    clearTimeout(this.timer)
    while (this.running) await this.running
    if (this.stopped || !this.pending) return
    this.running = this.send(this.pending)
    await this.running
  }

  /** Nothing is saved from now on, and what is under way has ended. */
  async stop(): Promise<void> {
    this.stopped = true
    this.pending = null
    clearTimeout(this.timer)
    await this.running
  }

  private schedule(delay: number): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => void this.flush(), delay)
  }

  private async send(body: DraftBody): Promise<void> {
    this.onChange('saving', this.id)
    try {
      this.id = await this.write(body)
      if (this.pending === body) this.pending = null
      this.onChange('saved', this.id)
    } catch (error) {
      // The values stay on the page; without a session whoever signs in again calls `flush`.
      const status = error instanceof ApiError ? error.status : 0
      const refused = status >= 400 && status < 500 && status !== 401
      this.onChange(refused ? 'refused' : 'failed', this.id, error)
      if (!this.stopped && !refused && status !== 401) this.schedule(RETRY_MS)
    } finally {
      this.running = null
    }
    if (this.pending && this.pending !== body && !this.stopped) this.schedule(DELAY_MS)
  }

  private async write(body: DraftBody): Promise<string> {
    if (this.id !== null) {
      try {
        await this.calls.save(this.id, body)
        return this.id
      } catch (error) {
        // Deleted elsewhere or expired: what is on the screen becomes a new draft.
        if (!(error instanceof ApiError && error.status === 404)) throw error
      }
    }
    return (await this.calls.create(body)).id
  }
}
