//! The remote spans that operations are parts of.

use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::TraceContextExt as _;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use protected_mcp::{Observer, TraceContext};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Makes the span of an operation a part of the trace that its client names.
pub(crate) struct Parents;

impl Observer for Parents {
    fn wants_details(&self) -> bool {
        false
    }

    fn begin(&self, span: &Span, parent: Option<&TraceContext>, linked: Option<&TraceContext>) {
        if let Some(parent) = parent {
            // Fails if another layer wants the span, and that of traces does not.
            let _ = span.set_parent(remote(parent));
        }
        if let Some(linked) = linked {
            span.add_link(remote(linked).span().span_context().clone());
        }
    }

    fn trace_id(&self, span: &Span) -> Option<String> {
        let context = span.context();
        let context = context.span().span_context().clone();
        context.is_sampled().then(|| context.trace_id().to_string())
    }
}

fn remote(trace: &TraceContext) -> Context {
    struct Fields<'a>(&'a TraceContext);
    impl Extractor for Fields<'_> {
        fn get(&self, key: &str) -> Option<&str> {
            match key {
                "traceparent" => Some(&self.0.parent),
                "tracestate" => self.0.state.as_deref(),
                _ => None,
            }
        }

        fn keys(&self) -> Vec<&str> {
            vec!["traceparent", "tracestate"]
        }
    }
    TraceContextPropagator::new().extract_with_context(&Context::new(), &Fields(trace))
}
