import GateCore

/// What follows from asking a table for news again and again, where nobody can listen.
///
/// The question's parameter is the mark of the answer before (null at first), and each row of its answer has three columns: which server
/// answered, the new mark, and a notification, null where there is none. The mark is the oldest transaction that was not over when the
/// server looked (`pg_snapshot_xmin`): what is told from there on next time holds all that was committed meanwhile, whatever the order. What was
/// seen already may be told again.
struct NotificationPoll {
    /// So many rows at once are not all: whoever gets them has to read everything.
    static let limit = 5001

    struct Answer {
        var server: String
        var mark: String
        var news: [String]
    }

    private var server: String?
    /// For the next question.
    private(set) var mark: String?

    /// Takes an answer to what was asked at `asked`.
    ///
    /// Another server, or the same one started again, counts its transactions anew: a standby that was promoted may give numbers that were given
    /// before. So nothing is known of what it did until now.
    mutating func take(_ answer: Answer, asked: MonotonicInstant) -> [NotificationEvent] {
        defer {
            server = answer.server
            mark = answer.mark
        }
        guard let server else { return [.began(asked)] }
        guard server == answer.server, answer.news.count < Self.limit else { return [.lost, .began(asked)] }
        return answer.news.map { .notification($0) } + [.current(asOf: asked)]
    }

    /// The connection is gone.
    mutating func lose() -> [NotificationEvent] {
        defer { self = NotificationPoll() }
        return server == nil ? [] : [.lost]
    }
}
