//! Hostile clients: endless connections and bodies, unread answers, guessed credentials. Valid deliveries and balance
//! reads continue beside any number of them.

mod bounds;
mod hostile;
mod processes;
