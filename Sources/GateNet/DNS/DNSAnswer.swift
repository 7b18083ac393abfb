/// What is known of a name's records of one type, aliases followed.
package struct DNSAnswer: Hashable, Sendable {
    package enum Existence: Hashable, Sendable {
        case found
        /// The name exists, and has no record of this type.
        case noRecords
        /// NXDOMAIN: neither the name nor anything below it exists (RFC 8020).
        case noSuchName
    }

    package var question: DNSQuestion
    package var existence: Existence
    /// Of the type that was asked for, and of the last alias.
    package var records: [DNSRecord]
    /// The names that the CNAME records led through, the question's own left out.
    package var aliases: [DNSName]
    /// The zone that a negative answer comes from, by its SOA record.
    package var zone: DNSName?
    /// The resolver says that DNSSEC verified it.
    package var isAuthenticated: Bool

    package init(
        question: DNSQuestion, existence: Existence, records: [DNSRecord], aliases: [DNSName] = [], zone: DNSName? = nil,
        isAuthenticated: Bool = false
    ) {
        self.question = question
        self.existence = existence
        self.records = records
        self.aliases = aliases
        self.zone = zone
        self.isAuthenticated = isAuthenticated
    }
}

/// What one response says about a question.
enum DNSReading: Hashable {
    case answer(DNSAnswer)
    /// The records end at an alias whose own records are not told: ask for it.
    case alias(DNSName, through: [DNSName])
    case loop
    case failure(DNSResponseCode, [DNSExtendedError])
}

extension DNSReading {
    /// Reads the answer section from the question's name on: what belongs to other names is not believed.
    init(_ message: DNSMessage, to question: DNSQuestion) {
        guard message.code == .noError || message.code == .noSuchName else {
            self = .failure(message.code, message.extensions?.errors ?? [])
            return
        }
        var name = question.name
        var aliases: [DNSName] = []
        while question.type != .cname, let target = message.answers.first(where: { $0.type == .cname && $0.name == name })?.target {
            guard target != question.name, !aliases.contains(target), aliases.count < DNSClient.aliasLimit else {
                self = .loop
                return
            }
            aliases.append(target)
            name = target
        }
        let records = message.answers.filter { $0.type == question.type && $0.name == name }
        let authority = message.authorities.first { $0.type == .soa }
        if records.isEmpty, !aliases.isEmpty, message.code == .noError, authority == nil {
            self = .alias(name, through: aliases)
            return
        }
        self = .answer(
            DNSAnswer(
                question: question,
                existence: !records.isEmpty ? .found : message.code == .noSuchName ? .noSuchName : .noRecords,
                records: records, aliases: aliases, zone: authority?.name, isAuthenticated: message.isAuthenticated))
    }
}
