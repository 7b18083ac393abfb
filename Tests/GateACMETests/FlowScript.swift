import GateACME
import GateCore
import GateHTTP

/// Drives an order's flow by hand: answers as an authority would write them, and a clock that is a number.
struct FlowScript {
    var flow: OrderFlow
    var now = Moment(wall: Timestamp(seconds: 1_795_132_800), monotonic: MonotonicInstant(nanoseconds: 0))

    static let directoryURL = HTTPURL("https://ca.test/directory")!

    init(
        names: [String] = ["a.test"], challenges: [ChallengeKind] = [.http01, .tlsALPN01], memory: ChallengeMemory = ChallengeMemory(),
        resume: SavedOrder? = nil, preferredChain: String? = nil
    ) throws {
        let directory = try DirectoryObject(
            parsing: JSON.object([
                JSON.Member("newNonce", "https://ca.test/nonce"), JSON.Member("newAccount", "https://ca.test/account"),
                JSON.Member("newOrder", "https://ca.test/order"), JSON.Member("meta", ["caaIdentities": ["ca.test"]]),
            ]).bytes)
        let plan = CertificateRequestPlan(
            names: names, key: Secret("key"), challenges: challenges, challengeMemory: memory, preferredChain: preferredChain)
        flow = OrderFlow(plan, directoryURL: Self.directoryURL, directory: directory, resume: resume)
    }

    mutating func handle(_ event: OrderFlow.Event) -> Step { Step(flow.handle(event, at: now)) }

    mutating func answer(_ json: JSON, status: Int = 200, location: String? = nil, retryAfter: Duration? = nil) -> Step {
        handle(
            .answered(
                AuthorityAnswer(
                    status: status, body: json.bytes, location: location.flatMap { HTTPURL($0) }, retryAfter: retryAfter)))
    }

    mutating func refuse(_ type: String, status: Int = 400, retryAfter: Duration? = nil) -> Step {
        answer(Self.problem(type), status: status, retryAfter: retryAfter)
    }

    /// Lets the time pass that the flow waits for.
    mutating func wait(_ step: Step) -> Step {
        guard case .wait(let until) = step else { return step }
        let passed = until.since(now.monotonic)
        now = Moment(wall: now.wall + passed, monotonic: until)
        return handle(.timePassed)
    }

    /// An order that was made and saved, for `names`, with a pending authorization each that is about to be read.
    mutating func ordered(names: [String] = ["a.test"]) -> Step {
        _ = handle(.begin)
        _ = answer(Self.order("pending", names: names), status: 201, location: "https://ca.test/order/1")
        return handle(.saved)
    }

    /// As ``ordered(names:)``, with the authority told of every challenge.
    mutating func responded(names: [String] = ["a.test"]) -> Step {
        var step = ordered(names: names)
        for name in names { step = answer(Self.authorization(name, "pending")) }
        step = handle(.saved)
        for _ in names {
            _ = handle(.presented)
            step = answer(["status": "processing"])
        }
        return step
    }

    /// What an effect is, for comparison.
    enum Step: Equatable, CustomStringConvertible {
        case send(OrderRequest)
        case save(SavedOrder)
        case register
        case present(PendingChallenge)
        case wait(MonotonicInstant)
        case finish
        case fail(ACMEFailure)

        init(_ effect: OrderFlow.Effect) {
            self =
                switch effect {
                case .send(let request): .send(request)
                case .save(let order): .save(order)
                case .register: .register
                case .present(let challenge): .present(challenge)
                case .wait(let until): .wait(until)
                case .finish: .finish
                case .fail(let failure): .fail(failure)
                }
        }

        var failure: ACMEFailure? { if case .fail(let failure) = self { failure } else { nil } }

        /// The verb and the path.
        var description: String {
            switch self {
            case .send(.newOrder): "newOrder"
            case .send(.read(let url)): "read \(url.target.raw)"
            case .send(.respond(let url)): "respond \(url.target.raw)"
            case .send(.finalize(let url)): "finalize \(url.target.raw)"
            case .send(.download(let url)): "download \(url.target.raw)"
            case .send(.deactivate(let url)): "deactivate \(url.target.raw)"
            case .save: "save"
            case .register: "register"
            case .present(let challenge): "present \(challenge.kind.rawValue) \(challenge.name)"
            case .wait: "wait"
            case .finish: "finish"
            case .fail(let failure): "fail \(failure.cause)"
            }
        }

        static func == (left: Step, right: Step) -> Bool { left.description == right.description }
    }

    static func problem(_ type: String, detail: String = "said so") -> JSON {
        ["type": .string(ProblemDocument.namespace + type), "detail": .string(detail)]
    }

    static func order(_ status: String, names: [String] = ["a.test"], error: JSON = .null) -> JSON {
        [
            "status": .string(status), "identifiers": .array(names.map { ["type": "dns", "value": .string($0)] }),
            "authorizations": .array(names.map { .string("https://ca.test/authz/\($0)") }), "finalize": "https://ca.test/finalize",
            "certificate": status == "valid" ? "https://ca.test/certificate" : .null, "error": error,
        ]
    }

    static func authorization(
        _ name: String, _ status: String, challenge: String = "pending", types: [String] = ["http-01", "tls-alpn-01", "dns-01"],
        begun: String = "http-01", problem: JSON = .null
    ) -> JSON {
        [
            "status": .string(status), "identifier": ["type": "dns", "value": .string(name)],
            "challenges": .array(
                types.map { type in
                    [
                        "type": .string(type), "url": .string("https://ca.test/challenge/\(name)/\(type)"), "token": "dG9rZW4",
                        "status": .string(type == begun ? challenge : "pending"), "error": type == begun ? problem : .null,
                    ]
                }),
        ]
    }
}
