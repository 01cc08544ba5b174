/** Whether the dialog for a new user is open; the palette opens it, too. */
export const adding = $state({ open: false });
