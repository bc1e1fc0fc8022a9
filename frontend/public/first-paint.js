// Runs before the first paint, so that neither the theme nor the language flashes. A file of its
// own because the Content-Security-Policy allows no inline script.
;(function () {
  var root = document.documentElement
  var theme = null
  var language = null
  try {
    theme = localStorage.getItem('easytune.theme')
    language = localStorage.getItem('easytune.language')
  } catch {
    // Storage may be closed to us; the system's choice holds.
  }
  if (theme !== 'light' && theme !== 'dark') {
    theme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
  }
  root.dataset.theme = theme
  if (language) root.lang = language
})()
