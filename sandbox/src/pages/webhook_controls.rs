//! The delivery mode on the page of controls.

use maud::{Markup, html};

use super::{
    control_forms::{Input, Mode, button, check, control, form, input},
    events::versions,
    view::View,
};
use crate::delivery_mode::Hold;

/// The section of the page.
pub(super) fn section(view: &View<'_>) -> Markup {
    html! {
        section #webhooks aria-labelledby="webhooks-title" {
            h2 #webhooks-title { "Delivery of webhooks" }
            div.cards {
                (control("mode", "Disturb the network",
                    "Changes how new events reach all endpoints, until it is changed again or the sandbox is \
                     restarted. What stands here is the whole mode.", &mode(view)))
                (control("normal", "Deliver normally",
                    "Ends the mode: held webhooks are sent now, in their order. Dropped ones stay dropped; they can \
                     be sent again on their page.",
                    &button(view, "deliveries/mode/clear", "Deliver normally", "all webhooks", &[])))
            }
        }
    }
}

fn mode(view: &View<'_>) -> Markup {
    let mode = &view.core.mode;
    let types = match &mode.hold {
        Hold::Types(types) => types.join(" "),
        Hold::All(_) => String::new(),
    };
    let drop_next = if mode.drop_next == 0 { String::new() } else { mode.drop_next.to_string() };
    let content = html! {
        (check("hold_all", "Hold everything back", "Nothing is sent until the mode ends.",
            mode.hold == Hold::All(true)))
        (input(&Input { id: "hold", name: "hold", label: "Hold back these types",
            hint: "Such as charge.* refund.created, with spaces between. Others are sent.", value: &types,
            mode: Mode::Text }))
        (check("shuffle", "Shuffle the order", "One after the other to each endpoint, in another order.", mode.shuffle))
        (check("duplicate", "Deliver everything twice", "Receivers must notice that they know the event.",
            mode.duplicate))
        (input(&Input { id: "drop_next", name: "drop_next", label: "Drop the next",
            hint: "That many are lost on the way. Empty: none.", value: &drop_next, mode: Mode::Number }))
        (input(&Input { id: "drop_type", name: "drop_type", label: "of this type", hint: "Empty: of any type.",
            value: mode.drop_type.as_deref().unwrap_or_default(), mode: Mode::Text }))
        (versions("mode-version", "Shape", mode.api_version.as_deref()))
        button type="submit" { "Use this mode" }
    };
    form(view, "deliveries/mode", "mode", &content)
}
