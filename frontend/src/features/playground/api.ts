/** Models that can be asked, and asking one: the answer comes as a stream. */
import { queryOptions } from '@tanstack/react-query'
import { api, checkAnswer, noAnswer, OWN_HEADER, take, type Schemas } from '@/api/client'
import { readEvents, type ServerEvent } from '@/api/event-stream'

export type Target = Schemas['PlaygroundTarget']
export type Message = Schemas['PlaygroundMessage']
export type GenerateRequest = Schemas['PlaygroundRequest']
export type ClassifyRequest = Schemas['PlaygroundClassifyRequest']
export type Predictions = Schemas['PlaygroundPredictions']

export const targetsQuery = () =>
  queryOptions({
    queryKey: ['playground', 'targets'],
    queryFn: ({ signal }) => take(api.GET('/api/v1/playground/targets', { signal })),
  })

/** `watched`: an answer is awaited, so its loading is followed closely. */
export const workerQuery = (watched = false) =>
  queryOptions({
    queryKey: ['playground', 'status'],
    queryFn: ({ signal }) => take(api.GET('/api/v1/playground/status', { signal })),
    refetchInterval: ({ state }) => (watched || state.data?.state === 'starting' ? 1_000 : 10_000),
  })

/** Classes or scores of texts; throws what `errorSentence` understands. */
export const classify = (body: ClassifyRequest, signal: AbortSignal): Promise<Predictions> =>
  take(api.POST('/api/v1/playground/classify', { body, signal }))

/** Batches of events until the answer is complete; throws what `errorSentence` understands. */
export async function* generate(
  body: GenerateRequest,
  signal: AbortSignal,
): AsyncGenerator<ServerEvent[]> {
  const response = await fetch('/api/v1/playground/generate', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'text/event-stream', ...OWN_HEADER },
    body: JSON.stringify(body),
    signal,
  }).catch((error: unknown) => {
    throw noAnswer(error)
  })
  await checkAnswer(response)
  if (response.body) yield* readEvents(response.body)
}
