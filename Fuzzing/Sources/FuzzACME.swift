import GateACME
import GateCore
import GateHTTP
import NIOCore
import NIOHTTP1

/// The answers of an authority: each line is one, a status code and a body. Every object is read from it, and an order's flow is led
/// through all of them, again and again, until it ends.
func fuzzACME(_ bytes: [UInt8]) {
    let answers = bytes.split(separator: UInt8(ascii: "\n")).prefix(32).map(Array.init).map(AuthorityScript.answer)
    for answer in answers {
        _ = try? DirectoryObject(parsing: answer.body)
        _ = try? AccountObject(parsing: answer.body)
        _ = try? OrderObject(parsing: answer.body)
        if let authorization = try? AuthorizationObject(parsing: answer.body) {
            for challenge in authorization.challenges where challenge.kind != nil {
                require(challenge.token?.utf8.contains(UInt8(ascii: "/")) == false, "a token is one path segment")
            }
        }
        if let info = try? RenewalInfo(parsing: answer.body, retryAfter: nil) {
            require(info.start < info.end, "a window ends after it starts")
        }
        if let problem = answer.problem {
            require(ProblemDocument(json: problem.json) == problem, "a problem document is read the same after it was written")
            require(
                problem.detail?.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control } != false,
                "nothing of an authority's text moves a terminal's cursor")
        }
        if let retryAfter = answer.retryAfter {
            require(retryAfter >= .zero && retryAfter <= AuthorityAnswer.maximumRetryAfter, "Retry-After is bounded")
        }
    }
    guard !answers.isEmpty else { return }
    AuthorityScript.lead(through: answers)
}

private enum AuthorityScript {
    static let directoryURL = HTTPURL("https://ca.test/directory")!
    static let directory = try! DirectoryObject(
        parsing: Array(#"{"newNonce":"https://ca.test/n","newAccount":"https://ca.test/a","newOrder":"https://ca.test/o"}"#.utf8))

    /// `200 {…}`; what stands before the body goes through the fields of a response.
    static func answer(_ line: [UInt8]) -> AuthorityAnswer {
        let status = Int(String(decoding: line.prefix(3), as: UTF8.self)).map { min(max($0, 100), 599) } ?? 200
        let body = Array(line.dropFirst(4))
        let text = String(decoding: body.prefix(200), as: UTF8.self)
        return AuthorityAnswer(
            OutgoingResponse(
                HTTPResponseStatus(statusCode: status),
                headers: ["Location": "/order/1", "Link": text, "Retry-After": text, "Replay-Nonce": text, "Content-Type": text],
                body: ByteBuffer(bytes: body)),
            to: directoryURL, at: Timestamp(seconds: 1_795_132_800))
    }

    static func lead(through answers: [AuthorityAnswer]) {
        let plan = CertificateRequestPlan(names: ["a.test", "b.test"], key: Secret("key"))
        var flow = OrderFlow(plan, directoryURL: directoryURL, directory: directory, resume: nil)
        var now = MonotonicInstant(nanoseconds: 0)
        var event = OrderFlow.Event.begin
        var (asked, ordered, finalized) = (0, 0, 0)
        while true {
            let moment = Moment(wall: Timestamp(seconds: 1_795_132_800 + Int64(now.nanoseconds / 1_000_000_000)), monotonic: now)
            switch flow.handle(event, at: moment) {
            case .send(let request):
                if case .newOrder = request { ordered += 1 }
                if case .finalize = request { finalized += 1 }
                event = .answered(answers[asked % answers.count])
                asked += 1
            case .save(let order):
                require(SavedOrder(json: order.json) == order, "a saved order is read the same after it was written")
                event = .saved
            case .register: event = .registered
            case .present: event = .presented
            case .wait(let until):
                require(until >= now, "time is waited for that is to come")
                now = max(until, now)
                event = .timePassed
            case .finish, .fail:
                require(ordered <= 2 && finalized <= 3, "no more than one order, asked for again only after a refusal")
                return
            }
            require(asked < 5000, "an order ends, whatever the authority says")
        }
    }
}
