import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { render } from '@testing-library/react'
import { ThemeProvider } from 'next-themes'
import type { ReactElement } from 'react'
import { createMemoryRouter, RouterProvider, type RouteObject } from 'react-router'
import { vi } from 'vitest'

const makeClient = () => new QueryClient({ defaultOptions: { queries: { retry: false } } })

/** Renders routes as the app does, at an address, and gives the router back to look at it. */
export function renderRoutes(routes: RouteObject[], at = '/') {
  const router = createMemoryRouter(routes, { initialEntries: [at] })
  const view = render(
    <ThemeProvider attribute="class" scriptProps={{ type: 'application/json' }}>
      <QueryClientProvider client={makeClient()}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </ThemeProvider>,
  )
  return { ...view, router }
}

export const renderPage = (element: ReactElement, at = '/') =>
  renderRoutes([{ path: '*', element }], at)

export type Answer = { status?: number; json: unknown } | undefined

/**
 * Answers fetch from a function of method and URL, and of the body where that is text; what it leaves out is a 404 problem. Returns the
 * list of requests, oldest first, such as "GET /api/models?sort=name".
 */
export function serve(answer: (request: string, body: string) => Answer): string[] {
  const requests: string[] = []
  vi.stubGlobal('fetch', (url: string, init?: RequestInit) => {
    const request = `${init?.method ?? 'GET'} ${url}`
    requests.push(request)
    const found = answer(request, typeof init?.body === 'string' ? init.body : '') ?? {
      status: 404,
      json: {
        type: '/problems/not-found',
        title: 'Not found',
        status: 404,
        detail: `There is nothing at ${url}.`,
        request_id: 'r-1',
      },
    }
    return Promise.resolve(
      new Response(JSON.stringify(found.json), { status: found.status ?? 200 }),
    )
  })
  return requests
}
