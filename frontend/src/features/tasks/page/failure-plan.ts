/** What to do after a failure, by its code: one step that most likely helps, and whose fault it was. */
import type { Again, Task } from '../api'
import { knobsOf } from '../wizard/knobs'

export type FailureKind = 'own' | 'infrastructure' | 'internal'

export type NextStep =
  /** Once more with less memory, with the same result. */
  | { kind: 'lighter'; body: Again }
  /** Once more as it was: from the checkpoint where there is one. */
  | { kind: 'again' }
  | { kind: 'restart' }
  | { kind: 'clone' }
  | { kind: 'line'; line: number }
  | { kind: 'models' }
  | { kind: 'report' }

const KINDS: Record<string, FailureKind> = {
  out_of_memory: 'own',
  nan_loss: 'own',
  bad_dataset: 'own',
  bad_spec: 'own',
  model_not_found: 'own',
  host_out_of_memory: 'infrastructure',
  disk_full: 'infrastructure',
  engine_crashed: 'infrastructure',
  engine_hung: 'infrastructure',
  launch_timeout: 'infrastructure',
  checkpoint_corrupt: 'infrastructure',
  supervisor_lost: 'infrastructure',
  host_rebooted: 'infrastructure',
  dependency: 'infrastructure',
}

type Failure = NonNullable<Task['error']> & { kind?: FailureKind | null }

/** As the server says; one that does not say is told by the code. */
export const kindOf = (error: Failure): FailureKind => error.kind ?? KINDS[error.code] ?? 'internal'

const OUT_OF_MEMORY = new Set(['out_of_memory', 'host_out_of_memory'])

/**
 * What may fit after memory ran out, with the same result: the micro-batch that the engine has worked
 * out, else half of it (automatic may be anything: one); where samples are computed singly already, their
 * activations computed twice. Null when nothing of that is left.
 */
export function lighterAgain(task: Task): Again | null {
  const { error, hyperparameters } = task
  if (!error || !OUT_OF_MEMORY.has(error.code)) return null
  const found = error.params?.micro_batch_size
  const { micro_batch_size: asked = 'auto', gradient_checkpointing: recomputes } = hyperparameters
  const singly = !knobsOf(task).some(({ name }) => name === 'micro_batch_size')
  const half = asked === 'auto' ? 1 : Math.floor(asked / 2)
  const size = typeof found === 'number' ? found : singly ? 0 : half
  if (size >= 1) return { micro_batch_size: size }
  return recomputes ? null : { gradient_checkpointing: true }
}

/** The first line of the data that the failure names. */
function lineOf({ code, params }: Failure): number | null {
  if (code !== 'bad_dataset') return null
  const found = /\d+/.exec(String(params?.lines ?? params?.line ?? ''))
  return found ? Number(found[0]) : null
}

function primaryOf(task: Task, error: Failure): NextStep {
  const line = lineOf(error)
  const lighter = lighterAgain(task)
  if (lighter) return { kind: 'lighter', body: lighter }
  if (line !== null) return { kind: 'line', line }
  switch (error.code) {
    case 'model_not_found':
      return { kind: 'models' }
    case 'checkpoint_corrupt':
      return { kind: 'restart' }
    case 'internal':
      return { kind: 'report' }
    case 'bad_dataset':
    case 'bad_spec':
    case 'nan_loss':
      return { kind: 'clone' }
    default:
      return { kind: 'again' }
  }
}

/** The step that most likely helps, then the others that make sense. */
export function planOf(task: Task): NextStep[] {
  const { error } = task
  if (!error) return []
  const first = primaryOf(task, error)
  const others: NextStep[] = [
    ...(error.code === 'checkpoint_corrupt' ? [] : [{ kind: 'again' } as const]),
    { kind: 'clone' },
    { kind: 'report' },
  ]
  return [first, ...others.filter(({ kind }) => kind !== first.kind)]
}
