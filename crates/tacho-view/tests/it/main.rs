mod crash;
mod events;
mod model;
mod opening;
mod summaries;
