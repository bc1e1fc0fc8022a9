/** The frame around every page. */
export default {
  name: 'EasyTune',
  home: 'EasyTune: to the overview',
  skip: 'Skip to content',
  navigation: 'Main navigation',
  menu: 'Menu',
  collapse: 'Collapse navigation',
  expand: 'Expand navigation',
  nav: {
    overview: 'Overview',
    datasets: 'Data',
    models: 'Models',
    tasks: 'Training',
    playground: 'Playground',
    system: 'System',
  },
  theme: {
    now: 'Theme: {{choice}}',
    system: 'Like the system',
    light: 'Light',
    dark: 'Dark',
  },
  // What the button shows is part of its name.
  languageNow: '{{short}} – language: {{name}}',
  account: {
    label: 'Account',
    signOut: 'Sign out',
    role: {
      administrator: 'Administrator',
      member: 'Member',
      viewer: 'Viewer',
    },
  },
  jump: {
    open: 'Search or jump to…',
    title: 'Jump to',
    placeholder: 'Pages, runs, data sets, models, actions',
    nothing: 'Nothing found for “{{query}}”.',
    hint: '↑↓ choose · Enter open · Esc close',
    results_one: '{{count}} result',
    results_other: '{{count}} results',
    groups: {
      actions: 'Actions',
      pages: 'Pages',
      tasks: 'Runs',
      datasets: 'Data sets',
      models: 'Models',
    },
    actions: {
      newTask: 'New training',
      upload: 'Upload data',
      addModel: 'Add a model',
    },
  },
  ring: {
    idle: 'Nothing is running',
    running_one: '{{count}} run in progress',
    running_other: '{{count}} runs in progress',
    queued_one: '{{count}} queued',
    queued_other: '{{count}} queued',
    all: 'All runs',
  },
  offline: {
    title: 'The server does not answer.',
    detail: 'What you see may be out of date. The page goes on by itself as soon as it is back.',
    retry: 'Try now',
  },
  insecure: 'This page is not encrypted: use it only in a network that you trust.',
  expired: {
    title: 'Sign in again',
    detail: 'Your session has ended. The page stays as it is.',
  },
  notFound: {
    title: 'There is no such page',
    detail: 'The address may be mistyped, or what was here was deleted.',
    home: 'To the overview',
  },
  notLoaded: {
    title: 'This page could not be loaded',
    detail: 'The server does not answer. The page loads by itself as soon as it is back.',
  },
  crashed: {
    title: 'This page ran into an error',
    detail: 'Your data is safe. Reload the page; if it happens again, report the line below.',
    reload: 'Reload',
  },
}
