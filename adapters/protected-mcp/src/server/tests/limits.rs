//! What a caller may use of the server.

use super::*;

#[tokio::test]
async fn bytes_are_held_until_the_answer_was_taken() {
    let server = builder().build().unwrap();
    let held = || server.endpoint.limits.bytes_in_flight().used;
    let list = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    let mut answers = Vec::new();
    for message in [list, &format!("[{list},{list}]"), r#"{"jsonrpc":"2.0","method":"x"}"#, "{", ""]
    {
        let before = held();
        let answer = answer_to(&server, Body::from(message.to_owned())).await;
        let size = usize::try_from(answer.body().size_hint().lower()).unwrap();
        // The answer to a message that is refused or has none is too short to be counted.
        assert!(held() - before >= if size > 1_000 { size } else { 0 }, "{message}");
        answers.push(answer);
    }
    assert!(held() > 1_000);
    for answer in answers {
        to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    }
    assert_eq!(held(), 0);
}

#[tokio::test]
async fn a_request_that_is_abandoned_returns_its_bytes() {
    let server = builder().build().unwrap();
    let held = || server.endpoint.limits.bytes_in_flight().used;
    let first = stream::iter([Ok::<_, std::io::Error>(Bytes::from(vec![b' '; 100_000]))]);
    let body = Body::from_stream(first.chain(stream::pending()));
    let mut answering = Box::pin(answer_to(&server, body));
    assert!(answering.as_mut().now_or_never().is_none());
    assert!((100_000..120_000).contains(&held()), "{}", held());
    drop(answering);
    assert_eq!(held(), 0);
}

#[tokio::test]
async fn what_is_not_sent_before_it_is_asked_for_is_not_asked_for_in_vain() {
    let server = builder().build().unwrap();
    let asked = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let body = || {
        let asked = Arc::clone(&asked);
        Body::from_stream(stream::once(async move {
            asked.store(true, std::sync::atomic::Ordering::Relaxed);
            Ok::<_, std::io::Error>(Bytes::from_static(b"{}"))
        }))
    };
    for (token, is_asked) in [("-", false), ("notes:read", true)] {
        let request = Request::post("/mcp")
            .header(HOST, "localhost:3002")
            .header(CONTENT_TYPE, "application/json")
            .header("expect", "100-continue")
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .body(body())
            .unwrap();
        server.answer(request).await;
        assert_eq!(asked.load(std::sync::atomic::Ordering::Relaxed), is_asked, "{token}");
    }
}

/// A tool that reports that it has begun, and then waits.
#[derive(Clone, Default)]
struct Waits<const READS: bool> {
    begun: Arc<Notify>,
    end: Arc<Notify>,
}

impl<const READS: bool> Tool for Waits<READS> {
    type Scope = ReadNotes;
    type Arguments = std::collections::BTreeMap<String, String>;
    type Output = Note;
    const NAME: &'static str = "wait";
    const TITLE: &'static str = "Wait";
    const DESCRIPTION: &'static str = "Waits.";
    const HINTS: Hints = if READS { Hints::READS } else { Hints::ADDS };

    async fn call(&self, _: Call<ReadNotes>, _: Self::Arguments) -> Result<Note, Failure> {
        self.begun.notify_one();
        self.end.notified().await;
        Ok(Note { text: String::new() })
    }
}

const WAIT: &str =
    r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"wait","arguments":{}}}"#;

#[tokio::test]
async fn a_connection_whose_request_is_at_work_is_not_closed_for_another() {
    let wait = Waits::<true>::default();
    let one = crate::ConnectionLimit::for_open_files(2);
    let server = builder().tool(wait.clone()).connection_limit(one).build().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(server.serve([listener], std::future::pending()));
    let request = format!(
        "POST /mcp HTTP/1.1\r\nhost: localhost:3002\r\nauthorization: Bearer notes:read\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{WAIT}",
        WAIT.len()
    );
    let send = async || {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(request.as_bytes()).await.unwrap();
        client
    };
    let status = async |client: &mut TcpStream| {
        let mut line = [0; 12];
        client.read_exact(&mut line).await.unwrap();
        String::from_utf8_lossy(&line[9..]).into_owned()
    };
    let mut first = send().await;
    wait.begun.notified().await;
    assert_eq!(status(&mut send().await).await, "503");
    wait.end.notify_one();
    assert_eq!(status(&mut first).await, "200");
}

#[tokio::test]
async fn work_that_goes_on_without_its_client_keeps_its_slot() {
    let wait = Waits::<false>::default();
    let server = builder().tool(wait.clone()).build().unwrap();
    let used = || server.endpoint.limits.requests_at_work().used;
    let mut answering = Box::pin(answer_to(&server, Body::from(WAIT)));
    assert!(answering.as_mut().now_or_never().is_none());
    wait.begun.notified().await;
    drop(answering);
    assert_eq!(used(), 1);
    wait.end.notify_one();
    while used() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.endpoint.limits.bytes_in_flight().used, 0);
}

#[tokio::test]
async fn each_message_of_a_batch_is_charged_before_the_next_one_is_counted() {
    let one = std::num::NonZeroU32::new(1);
    let server = builder().tool(LooksAtMuch).rate_limit(one).build().unwrap();
    let look = WAIT.replace("wait", "look");
    let answer = answer_to(&server, Body::from(format!("[{}]", [&*look; 5].join(",")))).await;
    let answer = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    let codes: Vec<_> = answer.as_array().unwrap().iter().map(|it| &it["error"]["code"]).collect();
    // Each answer of 256 KiB costs five of the ten units that there are.
    assert_eq!(codes, [&Value::Null, &Value::Null, &json!(429), &json!(429), &json!(429)]);
}

#[tokio::test]
async fn a_tool_says_what_a_call_costs_beyond_its_request() {
    let one = std::num::NonZeroU32::new(1);
    let server = || builder().tool(CostsMuch::default()).rate_limit(one).build().unwrap();
    let codes = async |arguments: [&str; 4]| {
        let calls = arguments.map(|it| WAIT.replace("wait", "cost").replace("{}", it));
        let answer = answer_to(&server(), Body::from(format!("[{}]", calls.join(",")))).await;
        let answer = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        answer.as_array().unwrap().iter().map(|it| it["error"]["code"].clone()).collect::<Vec<_>>()
    };
    // Of the ten units that there are.
    let found = codes([r#"{"units":4}"#, r#"{"units":3}"#, "{}", "{}"]).await;
    assert_eq!(found, [json!(null), json!(null), json!(null), json!(429)]);
    // Into debt.
    let found = codes([r#"{"units":500}"#, "{}", "{}", "{}"]).await;
    assert_eq!(found, [json!(null), json!(429), json!(429), json!(429)]);
    // Arguments that are refused cost nothing further, and a failure costs what a success does.
    let found = codes([r#"{"units":500,"x":1}"#, r#"{"units":500,"fail":true}"#, "{}", "{}"]).await;
    assert_eq!(found, [json!(null), json!(null), json!(429), json!(429)]);
}

#[tokio::test]
async fn a_call_whose_client_goes_away_is_charged() {
    let tool = CostsMuch::default();
    let one = std::num::NonZeroU32::new(1);
    let server = builder().tool(tool.clone()).rate_limit(one).build().unwrap();
    let message = WAIT.replace("wait", "cost").replace("{}", r#"{"units":50,"wait":true}"#);
    let mut answering = Box::pin(answer_to(&server, Body::from(message)));
    assert!(answering.as_mut().now_or_never().is_none());
    tool.begun.notified().await;
    drop(answering);
    let refused = call(&server, "notes:read", "cost", json!({})).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
}

/// A tool whose arguments say what it costs.
#[derive(Clone, Default)]
struct CostsMuch {
    begun: Arc<Notify>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Cost {
    units: Option<usize>,
    fail: Option<bool>,
    wait: Option<bool>,
}

impl Tool for CostsMuch {
    type Scope = ReadNotes;
    type Arguments = Cost;
    type Output = Note;
    const NAME: &'static str = "cost";
    const DESCRIPTION: &'static str = "Costs something.";
    const HINTS: Hints = Hints::ADDS;

    async fn call(&self, _: Call<ReadNotes>, arguments: Cost) -> Result<Note, Failure> {
        if arguments.wait == Some(true) {
            self.begun.notify_one();
            std::future::pending::<()>().await;
        }
        if arguments.fail == Some(true) {
            return Err(Failure::not_found("nothing"));
        }
        Ok(Note { text: String::new() })
    }

    fn further_cost(arguments: &Cost) -> usize {
        arguments.units.unwrap_or_default()
    }
}

/// A tool with a long answer.
struct LooksAtMuch;
impl Tool for LooksAtMuch {
    type Scope = ReadNotes;
    type Arguments = std::collections::BTreeMap<String, String>;
    type Output = Note;
    const NAME: &'static str = "look";
    const TITLE: &'static str = "Look";
    const DESCRIPTION: &'static str = "Returns much.";
    const HINTS: Hints = Hints::READS;

    async fn call(&self, _: Call<ReadNotes>, _: Self::Arguments) -> Result<Note, Failure> {
        // Twice in the answer: as text, and as structured content.
        Ok(Note { text: "x".repeat(128 * 1024) })
    }
}

/// A tool that reads for as long as nothing lets it go on.
struct ReadSlowly {
    reading: Arc<AtomicUsize>,
    go_on: Arc<Semaphore>,
}

impl Tool for ReadSlowly {
    type Scope = ReadNotes;
    type Arguments = std::collections::BTreeMap<String, String>;
    type Output = Note;
    const NAME: &'static str = "read_slowly";
    const DESCRIPTION: &'static str = "Reads slowly.";
    const HINTS: Hints = Hints::READS;

    async fn call(&self, _: Call<ReadNotes>, _: Self::Arguments) -> Result<Note, Failure> {
        self.reading.fetch_add(1, Ordering::Relaxed);
        self.go_on.acquire().await.unwrap().forget();
        Ok(Note { text: "read".to_owned() })
    }
}

#[tokio::test]
async fn a_caller_reads_few_things_at_once_and_its_others_wait() {
    let (reading, go_on) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let tool = ReadSlowly { reading: Arc::clone(&reading), go_on: Arc::clone(&go_on) };
    let server = builder().tool(tool).build().unwrap();
    let mut calls: Vec<_> =
        (0..20).map(|_| Box::pin(call(&server, "notes:read", "read_slowly", json!({})))).collect();
    assert!(calls.iter_mut().all(|call| call.as_mut().now_or_never().is_none()));
    assert_eq!(reading.load(Ordering::Relaxed), 8);
    // What changes something is not a read, and does not wait for them.
    let added = call(&server, "notes:read notes:write", "add_note", json!({ "text": "x" })).await;
    assert_eq!(added.status, StatusCode::OK);
    go_on.add_permits(20);
    for answer in futures_util::future::join_all(calls).await {
        assert_eq!(answer.status, StatusCode::OK);
    }
    assert_eq!(reading.load(Ordering::Relaxed), 20);
}
