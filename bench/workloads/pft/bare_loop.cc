#include <curl/curl.h>
#include <simdjson.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "bench/workloads/pft/bare_loop.h"
#include "bench/workloads/pft/writer.h"
#include "os/clock.h"
#include "os/fd.h"

namespace tidemill::bench::pft {

namespace {

// A facility's patients of some types that are fetched together, or its MDS.
struct Phase {
  int facility = 0;
  std::vector<Type> types;  // none: the MDS
};

// Phases one after another; streams run side by side.
struct Stream {
  std::deque<Phase> phases;
  int open = 0;                            // claims, pipelines and saves under way
  std::deque<std::pair<int, Type>> ready;  // claimed patients
  std::vector<Type> claimable;             // types that may have more to claim
  std::deque<int> mds;
};

// One patient's pages of a type, or one MDS, on its way.
struct Pipeline {
  Stream* stream = nullptr;
  int facility = 0;
  Type type = Type::assessments;
  int patient = 0;
  int page = 1;
  bool is_mds = false;
  CURL* easy = nullptr;
  std::string url;
  std::string body;
  Job job;
};

class BareLoop {
 public:
  BareLoop(const BareLoopOptions& options, Sink& sink);
  ~BareLoop();
  Result<BareLoopResult> run();

 private:
  static int on_socket(CURL*, curl_socket_t fd, int what, void* self, void*);
  static int on_timer(CURLM*, long milliseconds, void* self);
  static int on_close(void* self, curl_socket_t fd);
  static size_t on_body(char* data, size_t size, size_t n, void* pipeline);

  void add_streams();
  void begin_phase(Stream& stream);
  void advance(Stream& stream);
  void claim(Stream& stream, Type type);
  void fill();
  void start(Stream& stream, int patient, Type type, bool is_mds);
  void ask(Pipeline& p);
  void collect();
  void answered(Pipeline& p, CURLcode code);
  void saved(Job& job);
  void wait();
  void kick(curl_socket_t fd, int action);

  const BareLoopOptions options_;
  Writer writer_;
  int epoll_ = -1;
  CURLM* multi_ = nullptr;
  SteadyTime due_ = SteadyTime::never();
  std::vector<uint32_t> watched_;  // by descriptor
  std::vector<std::unique_ptr<Pipeline>> pipelines_;
  std::vector<Pipeline*> free_;
  std::vector<std::unique_ptr<Stream>> streams_;
  std::deque<std::unique_ptr<Job>> jobs_;  // of queue, claim and validate
  simdjson::dom::parser parser_;
  size_t next_stream_ = 0;
  int in_flight_ = 0;
  int open_streams_ = 0;
  BareLoopResult result_;
  std::string error_;
};

BareLoop::BareLoop(const BareLoopOptions& options, Sink& sink)
    : options_(options), writer_(sink), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  multi_ = curl_multi_init();
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &BareLoop::on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &BareLoop::on_timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(options.in_flight));
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = writer_.done_fd();
  TIDEMILL_ASSERT(epoll_ctl(epoll_, EPOLL_CTL_ADD, writer_.done_fd(), &event) == 0);
}

BareLoop::~BareLoop() {
  for (const auto& p : pipelines_) {
    curl_multi_remove_handle(multi_, p->easy);
    curl_easy_cleanup(p->easy);
  }
  curl_multi_cleanup(multi_);
  curl_global_cleanup();
  const os::Fd closing(epoll_);
}

Result<BareLoopResult> BareLoop::run() {
  const Duration cpu = os::thread_cpu();
  add_streams();
  while (open_streams_ > 0 && error_.empty()) {
    fill();
    writer_.flush();
    wait();
  }
  if (!error_.empty()) return Error{ErrorCode::io, error_};
  result_.event_cpu = os::thread_cpu() - cpu;
  result_.writer_cpu = writer_.cpu();
  result_.commits = writer_.commits();
  return result_;
}

// ---- what comes after what ----

void BareLoop::add_streams() {
  const bool side_by_side = options_.variant == Variant::facilities;
  const std::vector<Type> all = {Type::assessments, Type::conditions, Type::medications,
                                 Type::vital_signs, Type::demographics};
  for (int facility = 1; facility <= options_.facilities; ++facility) {
    if (side_by_side || streams_.empty()) streams_.push_back(std::make_unique<Stream>());
    auto& phases = streams_.back()->phases;
    if (options_.variant == Variant::sequential) {
      for (const Type type : all) phases.push_back({facility, {type}});
    } else {
      phases.push_back({facility, all});
    }
    phases.push_back({facility, {}});
  }
  open_streams_ = static_cast<int>(streams_.size());
  for (const auto& stream : streams_) begin_phase(*stream);
}

void BareLoop::begin_phase(Stream& stream) {
  const Phase& phase = stream.phases.front();
  const Patients patients = patients_of(phase.facility);
  if (phase.types.empty()) {
    for (int patient = patients.first; patient <= patients.last; ++patient)
      stream.mds.push_back(patient);
  }
  for (const Type type : phase.types) {
    auto job = std::make_unique<Job>();
    job->kind = Job::Kind::queue;
    job->facility = phase.facility;
    job->type = type;
    job->owner = &stream;
    ++stream.open;
    writer_.submit(job.get());
    jobs_.push_back(std::move(job));
  }
}

// When nothing of a phase is under way and nothing is left of it, the next one begins.
void BareLoop::advance(Stream& stream) {
  if (stream.open > 0 || !stream.ready.empty() || !stream.mds.empty() || !stream.claimable.empty())
    return;
  const Phase phase = stream.phases.front();
  stream.phases.pop_front();
  if (phase.types.empty()) {
    auto job = std::make_unique<Job>();
    job->kind = Job::Kind::validate;
    job->facility = phase.facility;
    job->owner = &stream;
    ++stream.open;
    writer_.submit(job.get());
    jobs_.push_back(std::move(job));
  } else {
    begin_phase(stream);
  }
}

void BareLoop::claim(Stream& stream, Type type) {
  auto job = std::make_unique<Job>();
  job->kind = Job::Kind::claim;
  job->facility = stream.phases.front().facility;
  job->type = type;
  job->owner = &stream;
  ++stream.open;
  writer_.submit(job.get());
  jobs_.push_back(std::move(job));
}

// Starts pipelines while places are free, taking turns among the streams.
void BareLoop::fill() {
  size_t idle = 0;
  while (in_flight_ < options_.in_flight && idle < streams_.size()) {
    Stream& s = *streams_[next_stream_++ % streams_.size()];
    ++idle;
    if (!s.ready.empty()) {
      const auto [patient, type] = s.ready.front();
      s.ready.pop_front();
      start(s, patient, type, false);
      idle = 0;
    } else if (!s.mds.empty()) {
      const int patient = s.mds.front();
      s.mds.pop_front();
      start(s, patient, Type::assessments, true);
      idle = 0;
    } else {
      for (const Type type : std::exchange(s.claimable, {})) claim(s, type);
    }
  }
}

void BareLoop::start(Stream& stream, int patient, Type type, bool is_mds) {
  Pipeline* p = nullptr;
  if (free_.empty()) {
    pipelines_.push_back(std::make_unique<Pipeline>());
    p = pipelines_.back().get();
    p->easy = curl_easy_init();
    TIDEMILL_ASSERT(p->easy != nullptr);
    curl_easy_setopt(p->easy, CURLOPT_PRIVATE, p);
    curl_easy_setopt(p->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(p->easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(p->easy, CURLOPT_TIMEOUT_MS, 60'000L);
    curl_easy_setopt(p->easy, CURLOPT_WRITEFUNCTION, &BareLoop::on_body);
    curl_easy_setopt(p->easy, CURLOPT_WRITEDATA, p);
    curl_easy_setopt(p->easy, CURLOPT_CLOSESOCKETFUNCTION, &BareLoop::on_close);
    curl_easy_setopt(p->easy, CURLOPT_CLOSESOCKETDATA, this);
  } else {
    p = free_.back();
    free_.pop_back();
  }
  p->stream = &stream;
  p->facility = stream.phases.front().facility;
  p->type = type;
  p->patient = patient;
  p->page = 1;
  p->is_mds = is_mds;
  ++stream.open;
  ++in_flight_;
  ask(*p);
}

// ---- one request and its save ----

void BareLoop::ask(Pipeline& p) {
  p.url = options_.api;
  if (p.is_mds) {
    p.url += "/api/v1/mds/assessment/MDS-" + std::to_string(p.patient);
  } else {
    p.url += "/api/v1/patient/";
    p.url += type_name(p.type);
    p.url += "?patientId=" + std::to_string(p.patient);
    if (p.type != Type::demographics) p.url += "&page=" + std::to_string(p.page) + "&pageSize=10";
  }
  p.body.clear();
  curl_easy_setopt(p.easy, CURLOPT_URL, p.url.c_str());
  ++result_.requests;
  TIDEMILL_ASSERT(curl_multi_add_handle(multi_, p.easy) == CURLM_OK);
}

void BareLoop::collect() {
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    Pipeline* p = nullptr;
    const CURLcode code = message->data.result;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &p);
    curl_multi_remove_handle(multi_, p->easy);
    answered(*p, code);
  }
}

void BareLoop::answered(Pipeline& p, CURLcode code) {
  long status = 0;
  curl_easy_getinfo(p.easy, CURLINFO_RESPONSE_CODE, &status);
  if (code != CURLE_OK) {
    error_ = p.url + ": " + curl_easy_strerror(code);
    return;
  }
  if (status >= 500) {
    ++result_.repeated;
    return ask(p);
  }
  simdjson::dom::element body;
  if (status != 200 || parser_.parse(p.body).get(body) != simdjson::SUCCESS) {
    error_ = p.url + ": status " + std::to_string(status);
    return;
  }
  bool more = false;
  if (!p.is_mds && p.type != Type::demographics &&
      body.at_pointer("/paging/hasMore").get(more) != simdjson::SUCCESS) {
    error_ = p.url + ": no paging";
    return;
  }
  p.job = {};
  p.job.kind = p.is_mds ? Job::Kind::save_mds : Job::Kind::save_page;
  p.job.facility = p.facility;
  p.job.type = p.type;
  p.job.patient = p.patient;
  p.job.page = p.page;
  p.job.last_page = !more;
  p.job.json = p.is_mds ? simdjson::minify(body) : simdjson::minify(body["data"].value());
  p.job.owner = &p;
  writer_.submit(&p.job);
}

// The save is on disk: on to the next page, or to the end.
void BareLoop::saved(Job& job) {
  if (job.kind == Job::Kind::save_page || job.kind == Job::Kind::save_mds) {
    auto& p = *static_cast<Pipeline*>(job.owner);
    if (!job.last_page) {
      ++p.page;
      return ask(p);
    }
    --in_flight_;
    free_.push_back(&p);
    --p.stream->open;
    return advance(*p.stream);
  }
  auto& stream = *static_cast<Stream*>(job.owner);
  --stream.open;
  if (job.kind == Job::Kind::queue) {
    claim(stream, job.type);
  } else if (job.kind == Job::Kind::claim) {
    for (const int patient : job.patients) stream.ready.emplace_back(patient, job.type);
    if (!job.patients.empty()) stream.claimable.push_back(job.type);
    advance(stream);
  } else if (stream.phases.empty()) {
    --open_streams_;
  } else {
    begin_phase(stream);
  }
}

// ---- libcurl, the writer and epoll ----

void BareLoop::wait() {
  std::array<epoll_event, 256> events;
  timespec left{};
  if (due_ != SteadyTime::never()) {
    const int64_t ns = std::max<int64_t>(0, (due_ - os::steady_now()).ns);
    left = {ns / 1'000'000'000, ns % 1'000'000'000};
  }
  const int n = epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()),
                             due_ == SteadyTime::never() ? nullptr : &left, nullptr);
  if (n < 0 && errno != EINTR) error_ = "epoll failed";
  for (int i = 0; i < n; ++i) {
    const epoll_event& event = events[static_cast<size_t>(i)];
    const int fd = event.data.fd;
    if (fd == writer_.done_fd()) {
      for (Job* job : writer_.take_done()) saved(*job);
      if (std::string wrong = writer_.error(); !wrong.empty()) error_ = std::move(wrong);
      continue;
    }
    int action = 0;
    if ((event.events & (EPOLLIN | EPOLLHUP)) != 0) action |= CURL_CSELECT_IN;
    if ((event.events & EPOLLOUT) != 0) action |= CURL_CSELECT_OUT;
    if ((event.events & EPOLLERR) != 0) action |= CURL_CSELECT_ERR;
    kick(fd, action);
  }
  if (due_ <= os::steady_now()) {
    due_ = SteadyTime::never();
    kick(CURL_SOCKET_TIMEOUT, 0);
  }
}

void BareLoop::kick(curl_socket_t fd, int action) {
  int running = 0;
  curl_multi_socket_action(multi_, fd, action, &running);
  collect();
}

// A connection that libcurl puts aside stays watched: the next request over it wants the same.
int BareLoop::on_socket(CURL*, curl_socket_t fd, int what, void* self, void*) {
  auto& loop = *static_cast<BareLoop*>(self);
  const auto slot = static_cast<size_t>(fd);
  if (slot >= loop.watched_.size()) loop.watched_.resize(slot + 1);
  uint32_t events = what == CURL_POLL_REMOVE ? uint32_t{EPOLLIN} : 0U;
  if (what == CURL_POLL_IN || what == CURL_POLL_INOUT) events |= EPOLLIN;
  if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT) events |= EPOLLOUT;
  if (loop.watched_[slot] == events) return 0;
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  epoll_ctl(loop.epoll_, loop.watched_[slot] == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event);
  loop.watched_[slot] = events;
  return 0;
}

int BareLoop::on_close(void* self, curl_socket_t fd) {
  auto& loop = *static_cast<BareLoop*>(self);
  if (static_cast<size_t>(fd) < loop.watched_.size()) loop.watched_[static_cast<size_t>(fd)] = 0;
  const os::Fd closing(fd);
  return 0;
}

int BareLoop::on_timer(CURLM*, long milliseconds_from_now, void* self) {
  static_cast<BareLoop*>(self)->due_ = milliseconds_from_now < 0
                                           ? SteadyTime::never()
                                           : os::steady_now() + milliseconds(milliseconds_from_now);
  return 0;
}

size_t BareLoop::on_body(char* data, size_t size, size_t n, void* pipeline) {
  auto& p = *static_cast<Pipeline*>(pipeline);
  if (p.body.empty()) p.body.reserve(8 * 1024);
  p.body.append(data, size * n);
  return size * n;
}

}  // namespace

std::string_view variant_name(Variant variant) {
  switch (variant) {
    case Variant::sequential:
      return "sequential";
    case Variant::types:
      return "types";
    case Variant::facilities:
      return "facilities";
  }
  return "";
}

Result<BareLoopResult> run_bare_loop(const BareLoopOptions& options, Sink& sink) {
  BareLoop loop(options, sink);
  TIDEMILL_TRY(BareLoopResult result, loop.run());
  TIDEMILL_TRY(result.totals, sink.totals());
  TIDEMILL_TRY(result.unfinished, sink.unfinished());
  return result;
}

}  // namespace tidemill::bench::pft
