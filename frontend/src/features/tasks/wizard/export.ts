/** The run for use elsewhere: as a call of the API, and as a file for `easytune train`. */
import type { Dataset, Model } from './api'
import { KNOBS, knobsOf } from './knobs'
import { bodyOf, planOf, type Values } from './values'
import { toYaml } from './yaml'

type Plain = Parameters<typeof toYaml>[0]

const shellQuoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`

/** A curl command that creates the same task; the key is the caller's own. */
export function apiCallOf(values: Values, origin: string): string {
  const body = JSON.stringify(bodyOf(values), null, 2)
  return [
    `curl -X POST ${shellQuoted(`${origin}/api/v1/tasks`)}`,
    '-H "Authorization: Bearer $EASYTUNE_TOKEN"',
    "-H 'Content-Type: application/json'",
    `-d ${shellQuoted(body)}`,
  ].join(' \\\n  ')
}

/** How a run file names a data set: the file as it was uploaded. */
function dataFile(datasets: Dataset[] | undefined, id: string): Plain {
  const found = datasets?.find((each) => each.id === id)
  const mapping = found?.mapping
  return {
    path: found?.filename ?? `${found?.name ?? id}.jsonl`,
    ...(mapping && {
      mapping: {
        record_type: mapping.record_type,
        columns: { ...mapping.columns } as Plain,
        ...(mapping.system_text && { system_text: mapping.system_text }),
      },
    }),
    ...(found?.max_dropped_rows ? { max_dropped_rows: found.max_dropped_rows } : {}),
  }
}

/** The YAML that `easytune train` reads; the data file has to lie beside it. */
export function runFileOf(
  values: Values,
  models: Model[] | undefined,
  datasets: Dataset[] | undefined,
): string {
  const plan = planOf(values)
  if (!plan) return ''
  const model = models?.find(({ id }) => id === plan.model_id)
  const used = new Set(knobsOf(values).map(({ name }) => name))
  const knobs = KNOBS.filter(({ name }) => used.has(name)).map(({ name }) => [
    name,
    values.hyperparameters[name],
  ])
  return toYaml({
    name: values.name.trim(),
    model: (model?.source === 'starter' && model.reference === '' ? 'starter' : model?.reference) ?? plan.model_id,
    ...(model?.program?.trusted && { trusted_code_sha256: model.program.sha256 }),
    dataset: dataFile(datasets, plan.dataset_id),
    ...(values.validation_dataset_id && {
      validation: dataFile(datasets, values.validation_dataset_id),
    }),
    objective: values.objective,
    method: values.method,
    hyperparameters: Object.fromEntries(knobs) as Plain,
    ...(values.distributed.processes > 1 && { distributed: { ...values.distributed } }),
    output_name: values.output_name.trim(),
    device: values.device,
    ...(values.precision !== 'auto' && { precision: values.precision }),
    ...(values.deterministic && { deterministic: true }),
    ...(plan.chat_template && { chat_template: plan.chat_template }),
  })
}
