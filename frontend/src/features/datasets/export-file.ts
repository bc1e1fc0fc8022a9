/** Where a version is downloaded in another form, and whether that form can express it. */
import { checkAnswer, noAnswer, watchedFetch, type Schemas } from '@/api/client'
import { withQuery } from '@/app/paths'

export const EXPORT_FORMATS = ['jsonl', 'openai', 'sharegpt', 'alpaca', 'csv', 'parquet'] as const
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

type Shown = Pick<Schemas['Dataset'], 'id' | 'version'>

export const exportUrl = ({ id, version }: Shown, format: ExportFormat, split: string): string =>
  withQuery(`/api/v1/datasets/${id}/export`, { version, format, split })

/**
 * Asks for the file, and lets go of it as soon as the server has said that it can be made: the
 * browser then downloads it to disk. Throws what is against it, where a link would save that as a file.
 */
export async function tryExport(dataset: Shown, format: ExportFormat, split: string): Promise<void> {
  const given = new AbortController()
  let answer: Response
  try {
    answer = await watchedFetch(exportUrl(dataset, format, split), { signal: given.signal })
  } catch (error) {
    throw noAnswer(error)
  }
  await checkAnswer(answer)
  given.abort()
}
