import GateAccess
import GateCore
import GateHTTP
import GateIdentity
import GateNet
import GateTesting
import Glibc
import Logging
import NIOCore
import NIOHTTP1
import Synchronization

@testable import GateProxy

/// A folder of files and the handler that answers with them.
final class FolderSite: Sendable {
    let folder = TemporaryFolder()
    let time: ManualTime
    let log = LogRecorder()
    private let handler: FolderHandler

    /// - Parameter age: how long ago the files were written, by the handler's clock.
    init(age: Duration = .seconds(60), _ change: (inout FolderRules) -> Void = { _ in }) {
        mkdir(folder.file("root"), 0o700)
        mkdir(folder.file("root/sub"), 0o700)
        folder.write("root/index.html", "<p>start</p>")
        folder.write("root/a.txt", "0123456789")
        folder.write("root/sub/index.html", "<p>sub</p>")
        folder.write("secret.txt", "secret")
        time = ManualTime(wall: SystemTime().now() + age)
        var rules = FolderRules(root: folder.file("root"))
        change(&rules)
        handler = FolderHandler(
            rules, baseURL: "https://app.test", logger: log.logger, time: time, entropy: SeededEntropy(seed: 1))
    }

    func get(
        _ target: String, _ headers: HTTPHeaders = [:], method: HTTPMethod = .GET, by identity: AssertedIdentity? = nil
    ) async throws -> FileAnswer {
        let request = Request(id: RequestID(value: 1), method: method, target: RequestTarget(target)!, headers: headers)
        return try await FileAnswer(handler.answer(AdmittedRequest(withholdingNothingOf: request, identity: identity)).response)
    }

    /// Whether the answer is there at once.
    func answersInPlace(_ target: String) -> Bool {
        let request = Request(id: RequestID(value: 1), method: .GET, target: RequestTarget(target)!)
        if case .now = handler.answer(AdmittedRequest(withholdingNothingOf: request)) { return true }
        return false
    }

    func link(_ name: String, to target: String) { symlink(target, folder.file("root/" + name)) }
}

/// A response with its body read.
struct FileAnswer {
    let response: Response
    let text: String
    var status: UInt { response.status.code }

    init(_ response: Response) async throws {
        self.response = response
        switch response.body {
        case .bytes(let bytes): text = String(buffer: bytes)
        case .file(let body):
            let collected = CollectedBody()
            try await body.write(to: collected)
            text = collected.text
        case .stream(let length, let produce):
            let collected = CollectedBody()
            try await produce(collected)
            text = collected.text
            precondition(length == nil || length == text.utf8.count, "a body is as long as promised")
        default: text = ""
        }
    }

    subscript(_ name: String) -> String? {
        let values = response.headers[name]
        return values.isEmpty ? nil : values.joined(separator: " | ")
    }
}

/// Keeps what is written.
final class CollectedBody: BodyWriter {
    private let bytes = Mutex<[UInt8]>([])

    var text: String { String(decoding: bytes.withLock { $0 }, as: UTF8.self) }

    func write(_ part: ByteBuffer) async throws(BodyError) { bytes.withLock { $0 += part.readableBytesView } }
    func trailers(_ fields: HTTPHeaders) async {}
}

extension AssertedIdentity {
    static let somebody = somebody(EncodedFields())

    static func somebody(_ fields: EncodedFields) -> AssertedIdentity {
        let ada = Principal(
            userID: User.ID(high: 1, low: 1), sessionID: Session.ID(high: 1, low: 2), method: .cookie, tokenID: nil,
            email: EmailAddress("ada@app.test")!, isEmailVerified: true, organisationID: nil, roles: [],
            expiresAt: Timestamp(seconds: 4_000_000_000))
        return AssertedIdentity(
            ada, madeFrom: ada, at: Door(name: "app", access: .signedIn, policies: []), fields: fields,
            now: Timestamp(seconds: 1_795_132_800))
    }
}
