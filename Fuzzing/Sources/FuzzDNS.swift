@testable import GateNet

/// Any bytes may come from a name server: a message is read or refused, and what was read is read the same after it was written.
func fuzzDNS(_ bytes: [UInt8]) {
    guard let message = try? DNSMessage(parsing: bytes), !message.isTruncated else { return }
    require((try? DNSMessage(parsing: message.encoded)) == message, "what was read is read the same after it was written")
    for name in (message.answers + message.authorities).map(\.name) {
        require(name.wire.count <= 255, "no name is longer than 255 bytes")
    }
    guard let question = message.questions.first else { return }
    if case .answer(let answer) = DNSReading(message, to: question) {
        require(answer.aliases.count <= DNSClient.aliasLimit, "aliases are bounded")
        let last = answer.aliases.last ?? question.name
        require(answer.records.allSatisfy { $0.name == last && $0.type == question.type }, "only what was asked for is believed")
        for record in answer.records.compactMap(\.caa) { _ = CAAIssuer(value: record.value) }
    }
}
