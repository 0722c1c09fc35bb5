/** The addresses of our own pages, in one place. Ids are opaque and therefore encoded. */
export const paths = {
  home: '/',
  models: '/models',
  model: (id: string): string => `/models/${encodeURIComponent(id)}`,
  families: '/families',
  family: (id: string, selected?: string): string =>
    `/families/${encodeURIComponent(id)}${selected ? `?model=${encodeURIComponent(selected)}` : ''}`,
  modelsOfFamily: (id: string): string => `/models?family=${encodeURIComponent(id)}`,
  modelsOfTag: (tag: string): string => `/models?tag=${encodeURIComponent(tag)}`,
  compare: (a?: string, b?: string): string => {
    const query = new URLSearchParams()
    if (a) query.set('a', a)
    if (b) query.set('b', b)
    const suffix = query.toString()
    return `/compare${suffix ? `?${suffix}` : ''}`
  },
  statistics: '/statistics',
  jobs: '/jobs',
  settings: '/settings',
  audit: '/settings/audit',
  add: '/add',
}
