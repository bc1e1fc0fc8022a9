/** The run for use elsewhere: as a call of the API, and as a file for `easytune train`. */
import type { Dataset, Model } from './api'
import type { Version } from './use-part'
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

/** The version of a data set that is meant, and the part of it; what is not known is left out. */
export interface Rows {
  version: Version | undefined
  part: string | null
}

/** As the server names the file of an export. */
const exportName = (name: string, { version, part }: Rows) =>
  `${name}-v${version?.version ?? 1}${part ? `-${part}` : ''}.jsonl`.replaceAll(/[/\\:*?"<>|]/g, '_')

/** An import of the one file that was uploaded makes these rows. */
const isAsUploaded = (found: Dataset | undefined, { version, part }: Rows) =>
  !part &&
  !version?.steps.length &&
  !version?.options &&
  Boolean(found?.filename) &&
  !found?.files?.length &&
  !found?.source

/** How a run file names rows: the file as it was uploaded, or the export of their version. */
function dataFile(datasets: Dataset[] | undefined, id: string, rows: Rows): Plain {
  const found = datasets?.find((each) => each.id === id)
  const { version, part } = rows
  const meant = {
    ...(version && { version: version.version }),
    ...(version && !part && { sha256: version.sha256 }),
  }
  if (version && !isAsUploaded(found, rows)) {
    return {
      path: exportName(found?.name ?? id, rows),
      ...(part && { split: part }),
      record_type: version.record_type,
      ...meant,
    }
  }
  const mapping = version ? version.mapping : found?.mapping
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
    ...meant,
  }
}

/** The YAML that `easytune train` reads; the data files have to lie beside it. */
export function runFileOf(
  values: Values,
  models: Model[] | undefined,
  datasets: Dataset[] | undefined,
  chosen: { train: Rows; validation: Rows },
): string {
  const plan = planOf(values)
  if (!plan) return ''
  const model = models?.find(({ id }) => id === plan.model_id)
  const measured = values.validation_dataset_id ?? (chosen.validation.part && plan.dataset_id)
  const choices = { ...values, validation_part: chosen.validation.part }
  const used = new Set(knobsOf(choices).map(({ name }) => name))
  const knobs = KNOBS.filter(({ name }) => used.has(name)).map(({ name }) => [
    name,
    values.hyperparameters[name],
  ])
  return toYaml({
    name: values.name.trim(),
    model: (model?.source === 'starter' && model.reference === '' ? 'starter' : model?.reference) ?? plan.model_id,
    ...(model?.program?.trusted && { trusted_code_sha256: model.program.sha256 }),
    dataset: dataFile(datasets, plan.dataset_id, chosen.train),
    ...(measured && { validation: dataFile(datasets, measured, chosen.validation) }),
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
