/** Every address of the app. A leaf: the only file of app/ that features may import. */
export const paths = {
  overview: '/',
  datasets: '/data',
  dataset: (id: string) => `/data/${id}`,
  prepareDataset: (id: string) => `/data/${id}/prepare`,
  models: '/models',
  tasks: '/training',
  newTask: '/training/new',
  compareTasks: '/training/compare',
  task: (id: string) => `/training/${id}`,
  playground: '/playground',
  notices: '/notices',
  system: '/system',
  setup: '/setup',
  login: '/login',
} as const

type Query = Record<string, string | number | null | undefined>

/** `path?query` without empty values: `withQuery(paths.newTask, { model: id })`. */
export function withQuery(path: string, query: Query): string {
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) {
    if (value != null && value !== '') search.set(key, String(value))
  }
  const text = search.toString()
  return text ? `${path}?${text}` : path
}
