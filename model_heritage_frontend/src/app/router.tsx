import { createBrowserRouter, type RouteObject } from 'react-router'

import { Layout } from '@/app/layout/layout'
import { RouteError } from '@/app/layout/route-error'
import { HomePage } from '@/app/pages/home'
import { NotFoundPage } from '@/app/pages/not-found'

/** Every page but the first is loaded when it is first visited. */
export const routes: RouteObject[] = [
  {
    element: <Layout />,
    errorElement: <RouteError />,
    // Until the first page's own code is there: an empty page, for a few milliseconds.
    hydrateFallbackElement: <div className="min-h-dvh" />,
    children: [
      {
        errorElement: <RouteError />,
        children: [
          { index: true, element: <HomePage /> },
          {
            path: 'models',
            lazy: async () => ({ Component: (await import('@/app/pages/models')).ModelsPage }),
          },
          {
            path: 'models/:id',
            lazy: async () => ({ Component: (await import('@/app/pages/model')).ModelPage }),
          },
          {
            path: 'families',
            lazy: async () => ({ Component: (await import('@/app/pages/families')).FamiliesPage }),
          },
          {
            path: 'families/:id',
            lazy: async () => ({ Component: (await import('@/app/pages/family')).FamilyPage }),
          },
          {
            path: 'compare',
            lazy: async () => ({ Component: (await import('@/app/pages/compare')).ComparePage }),
          },
          {
            path: 'statistics',
            lazy: async () => ({
              Component: (await import('@/app/pages/statistics')).StatisticsPage,
            }),
          },
          {
            path: 'jobs',
            lazy: async () => ({ Component: (await import('@/app/pages/jobs')).JobsPage }),
          },
          {
            path: 'settings',
            lazy: async () => ({ Component: (await import('@/app/pages/settings')).SettingsPage }),
          },
          {
            path: 'settings/audit',
            lazy: async () => ({ Component: (await import('@/app/pages/settings')).AuditPage }),
          },
          {
            path: 'add',
            lazy: async () => ({ Component: (await import('@/app/pages/add')).AddPage }),
          },
          { path: '*', element: <NotFoundPage /> },
        ],
      },
    ],
  },
]

export const makeRouter = () => createBrowserRouter(routes)
