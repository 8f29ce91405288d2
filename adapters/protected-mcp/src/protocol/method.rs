/// Declares [`Method`]: each variant with its name.
macro_rules! methods {
    ($($variant:ident = $name:literal,)*) => {
        /// The methods of requests that this server knows. What each is for need not be offered.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Method {
            $($variant,)*
        }

        impl Method {
            #[cfg(test)]
            const ALL: &[Self] = &[$(Self::$variant,)*];

            /// `None` for a method that is not known.
            pub(crate) fn of(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }

            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

methods! {
    ToolsCall = "tools/call",
    ToolsList = "tools/list",
    ResourcesRead = "resources/read",
    ResourcesList = "resources/list",
    ResourcesTemplatesList = "resources/templates/list",
    PromptsGet = "prompts/get",
    PromptsList = "prompts/list",
    CompletionComplete = "completion/complete",
    ServerDiscover = "server/discover",
    SubscriptionsListen = "subscriptions/listen",
    Initialize = "initialize",
    LoggingSetLevel = "logging/setLevel",
    Ping = "ping",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_is_known_by_its_exact_name() {
        for method in Method::ALL {
            let name = method.name();
            assert_eq!(Method::of(name), Some(*method));
            for other in [format!("{name} "), name.to_uppercase(), format!("{name}\n")] {
                assert_eq!(Method::of(&other), None, "{other:?}");
            }
        }
        assert_eq!(Method::of(""), None);
    }
}
