/** What the page of jobs says. A translation is another object of this type. */
export const jobWords = {
  adminActions: {
    folder: 'Folder',
    srvCheckpoints: '/srv/checkpoints',
    import: 'Import',
    importAFolder: 'Import a folder',
    everyCheckpointBelowA:
      'Every checkpoint below a folder of the server is added, as if it were uploaded. Only folders that the setting',
    importRoots: 'import_roots',
    namesAreOpen: 'names are open.',
    solveTheWholeLake: 'Solve the whole lake again?',
    allFamiliesAndParents:
      'All families and parents are computed anew in the background. The catalogue stays usable.',
    solveAgain: 'Solve again',
    recluster: 'Recluster',
    cleanUp: 'Clean up?',
    removesWhatDeadUploads:
      'Removes what dead uploads and deleted models left behind, and the records of old jobs. No model is touched.',
    cleanUp2: 'Clean up',
  },
  jobList: {
    jobs: 'jobs',
    noJobsYet: 'No jobs yet',
    addingAModelAnd: 'Adding a model and solving a family again are jobs. They appear here.',
    noSuchJobs: 'No such jobs',
    noneOfTheJobs: 'None of the jobs is of this kind and in this state.',
    jobs2: 'Jobs',
    state: 'State',
    kind: 'Kind',
  },
  jobRow: {
    family: 'Family',
    cancel: 'Cancel',
    tryAgain: 'Try again',
    took: ', took',
  },
} as const
