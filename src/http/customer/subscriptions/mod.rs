//! Subscriptions: beginning one, looking at them, ending and changing them.

pub(crate) mod changes;
pub(crate) mod list;
pub(crate) mod sessions;
pub(crate) mod view;
