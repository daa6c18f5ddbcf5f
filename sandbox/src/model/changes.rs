//! The changes of the state since it was last saved, and how a change is applied to an older state.
//!
//! Invariants: a state plus a change taken from it gives the state as it was when the change was taken. The size of a
//! change depends on what was done, not on the size of the state.

use serde::{Deserialize, Serialize};

use super::{
    State,
    account::AccountDefaults,
    account_api::Standing,
    balance::BalanceTransaction,
    billing::{
        credit_note::CreditNote,
        document::Document,
        dunning::BillingSettings,
        invoice::{Invoice, InvoiceItem, InvoicePayment},
        portal::PortalSession,
        schedule::Schedule,
        subscription::Subscription,
        test_clock::TestClock,
    },
    connect::Account,
    customer::Customer,
    dispute::Dispute,
    endpoint::Endpoint,
    event::{Delivery, Event},
    idempotency::SavedAnswer,
    late::LateRequest,
    meter::{Meter, MeterEvent, MeterSession},
    payment::{Charge, PaymentIntent, PaymentMethod},
    price::Price,
    product::Product,
    radar::{EarlyFraudWarning, Review},
    refund::Refund,
    session::Session,
    setup_intent::SetupIntent,
    table::TableChange,
    tracked::MapChange,
    transfer::{Payout, TopUp, Transfer},
};

/// Generates [`Changes`] and its functions. A member of the state that is missing from the lists is a compile error.
macro_rules! changes {
    (
        tables { $($table:ident: $row:ty),+ $(,)? }
        maps { $($map:ident: $key:ty => $value:ty),+ $(,)? }
        whole { $($whole:ident: $small:ty),+ $(,)? }
        kept_out { $($kept_out:ident),+ $(,)? }
    ) => {
        /// One entry of the journal.
        #[derive(Debug, Serialize, Deserialize)]
        pub(crate) struct Changes {
            $(#[serde(default, skip_serializing_if = "TableChange::is_empty")] $table: TableChange<$row>,)+
            $(#[serde(default, skip_serializing_if = "MapChange::is_empty")] $map: MapChange<$key, $value>,)+
            $(#[serde(default)] $whole: $small,)+
        }

        impl State {
            /// The changes since the last call, or since [`State::begin_notes`].
            pub(crate) fn take_changes(&mut self) -> Changes {
                let Self { $($table,)+ $($map,)+ $($whole,)+ $($kept_out: _),+ } = self;
                Changes {
                    $($table: $table.take_change(),)+
                    $($map: $map.take_change(),)+
                    $($whole: *$whole,)+
                }
            }

            /// Starts noting changes, and forgets those noted before.
            pub(crate) fn begin_notes(&mut self) {
                $(self.$table.begin_notes();)+
                $(self.$map.begin_notes();)+
            }

            /// Applies a change to the state that it was taken from.
            pub(crate) fn apply(&mut self, changes: Changes) {
                $(self.$table.apply(changes.$table);)+
                $(self.$map.apply(changes.$map);)+
                $(self.$whole = changes.$whole;)+
            }
        }
    };
}

changes! {
    tables {
        sessions: Session,
        payment_intents: PaymentIntent,
        payment_methods: PaymentMethod,
        charges: Charge,
        balance_transactions: BalanceTransaction,
        events: Event,
        endpoints: Endpoint,
        refunds: Refund,
        disputes: Dispute,
        customers: Customer,
        setup_intents: SetupIntent,
        products: Product,
        prices: Price,
        accounts: Account,
        transfers: Transfer,
        payouts: Payout,
        topups: TopUp,
        meters: Meter,
        meter_events: MeterEvent,
        meter_sessions: MeterSession,
        warnings: EarlyFraudWarning,
        reviews: Review,
        subscriptions: Subscription,
        invoices: Invoice,
        invoice_items: InvoiceItem,
        invoice_payments: InvoicePayment,
        credit_notes: CreditNote,
        schedules: Schedule,
        test_clocks: TestClock,
        portal_sessions: PortalSession,
        documents: Document,
        saved_answers: SavedAnswer,
    }
    maps {
        deliveries: u64 => Delivery,
        open_until: (i64, String) => (),
        settlements: (i64, String) => (),
        due: (i64, String) => (),
        late: (i64, u64) => LateRequest,
        agenda: (String, i64, String) => (),
        planned: String => (String, i64),
        moved_ahead: String => i64,
        waiting_items: (String, u64) => String,
        quoted: String => Vec<(String, i64)>,
    }
    whole {
        next_delivery: u64,
        next_late: u64,
        clock_offset_ms: i64,
        list_lag: i64,
        account: AccountDefaults,
        standing: Standing,
        billing: BillingSettings,
        tax_unregistered: bool,
        portal_unsaved: bool,
    }
    kept_out { generation, now, trimmed, changed_intents, completed_sessions, last_event, in_other_time }
}
